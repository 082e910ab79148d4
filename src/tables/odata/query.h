// A read as every dialect and every script understands it: a tree, not text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "store/expr.h"
#include "store/store.h"

namespace mandate::tables::odata {

/// The tree of a condition. Columns carry the name the client wrote and no type yet; `to_plan` finds and types them.
/// Literals are null, bool, int64, double, text, or Millis with Type::date; see also edm.h: literal_of.
using Tree = store::ExprPtr;

struct Ordering {
  Tree by;
  bool descending = false;
};

/// What a read asks for. Cheap to copy: the trees are shared and immutable.
struct Query {
  Tree filter;                         ///< null = every row
  std::vector<Ordering> order;
  std::vector<std::string> select;     ///< empty = every column
  std::optional<std::int64_t> top;     ///< absent = the dialect's page
  std::int64_t skip = 0;
  std::vector<std::string> expand;     ///< relations whose rows are shown within
  bool total = false;                  ///< also how many rows there are without top and skip
  std::optional<std::string> id;       ///< a read of one row by id
};

/// Adds a condition: what scripts do to narrow a query. Null stays "every row".
void narrow(Query& query, Tree condition);

/// `{userId:"x", done:false}` as equality of all members joined by "and". bad_request for an array or object inside.
Result<Tree> equality_of(const JsonObject& members);

/// The condition as text of the grammar that reads it, `v4` where it came from `v4`, that parses to the same tree; empty for
/// null.
std::string to_text(const Tree& tree);
std::string to_text(const std::vector<Ordering>& order);

}  // namespace mandate::tables::odata
