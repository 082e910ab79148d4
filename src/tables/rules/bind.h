// A rule meets a table and a caller: names are found, what is known of the caller becomes values, and a condition of the store
// comes out. Text is compared byte for byte here: two users whose ids differ in the case of a letter are two users.
#pragma once

#include "tables/rules/parser.h"
#include "tables/schema.h"

namespace mandate::tables::rules {

/// Which state of the row a rule speaks of.
enum class State {
  as_it_is,  ///< names are the row's columns; `item` is refused
  changing,  ///< the same, and `item` is the row as it will be: what is sent, and what stays
  written,   ///< both are the row as it was written
};

struct Scene {
  const Schema& schema;
  State state = State::as_it_is;
  /// Null: nobody in particular; only names and types are checked.
  const identity::Principal* user = nullptr;
  Millis now = 0;
  const std::vector<store::Cell>* item = nullptr;  ///< changing: the cells that are sent
};

/// invalid_request: an unknown name, or values that do not go together; the hint says which. What the caller does not have (a
/// claim, an id) equals nothing, is in nothing and contains nothing; it may be compared with null.
Result<store::ExprPtr> bind(const Node& rule, const Scene& scene);

/// The condition as people read it: (owner = 'Ana' or shared = true).
std::string describe(const store::Expr& condition);

}  // namespace mandate::tables::rules
