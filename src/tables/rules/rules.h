// The row rules of a table: which rows exist for a caller, which of them an operation may touch, what a written row must be.
//
//   rules:
//     read:   "owner == user.id || shared"       rows that are not so do not exist for the caller, whatever the operation
//     insert: "owner == user.id"                 the new row
//     update: "owner == user.id && !locked"      the row as it is; item.NAME is what it will have
//     delete: "owner == user.id"
//     check:  "list.owner == user.id"            the row after an insert or update
//
// The language is in parser.h. Names: the table's declared columns and system properties, NAME.COLUMN through a relation, user.id,
// user.level, user.provider, user.roles, user.claims.NAME, request.time, item.COLUMN (insert, update, check), row.COLUMN.
// Administrators (the master key) are not asked. What a rule cannot answer for a caller is answered with no.
#pragma once

#include "tables/operations.h"
#include "tables/rules/parser.h"
#include "tables/schema.h"
#include "tenant/tenant.h"

namespace mandate::tables::rules {

/// Null where there is none. Immutable.
struct Rules {
  NodePtr read, insert, update, remove, check;
  bool broken = false;  ///< one did not parse: nothing exists for anybody
};

/// Null for a table without rules.
std::shared_ptr<const Rules> read_rules(const tenant::TableRules& texts);

struct Conditions {
  store::ExprPtr visible;  ///< the row exists for the caller
  store::ExprPtr touch;    ///< and may be changed, or deleted
  store::ExprPtr after;    ///< what it must be when it is written
};

/// What the rules say of one operation. `item`: the cells of an update that are sent; null while they are not known, and then
/// `touch` is missing. Never fails: `denied` says why a rule could not be answered, which then says no.
Conditions conditions_of(const Schema& schema, Operation operation, const identity::Principal& user, Millis now,
                         const std::vector<store::Cell>* item, std::string& denied);

/// One thing wrong with a table: `path` as in "rules.read".
struct Problem {
  std::string table, path, text;
};

/// Everything that tables of a service declare and that does not fit together: defaults, relations, names and types in rules.
std::vector<Problem> problems_of(const tenant::Service& service);

}  // namespace mandate::tables::rules
