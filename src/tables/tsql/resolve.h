// What the names of a statement mean: tables and columns of the service's catalogue, and nothing else.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tables/odata/edm.h"
#include "tables/tsql/ast.h"

namespace mandate::tables::tsql {

/// A table as scripts see it.
struct TableInfo {
  enum class Role { own, id, created, updated, version, deleted };
  struct Column {
    std::string name;   ///< as results spell it
    std::string store;  ///< in the store
    Type type = Type::text;
    Role role = Role::own;
    bool json = false;   ///< its text is JSON
    bool shown = true;   ///< a star means it, too
    bool exact = false;  ///< its texts are compared byte for byte, as ids are
    /// Of a declared type beyond ours: days are dates, all others texts as they are on the wire.
    std::shared_ptr<const odata::Meaning> meaning = nullptr;

    /// Whether the store has it otherwise than it looks.
    bool opaque() const { return json || role == Role::version || (meaning && meaning->edm != odata::Edm::date); }
  };
  std::string name;
  std::string physical;  ///< its name in the store
  bool integer_id = false;
  std::vector<Column> columns;

  std::size_t slot_of(Role role) const;
};
using TablePtr = std::shared_ptr<const TableInfo>;
/// By name in lower case.
using Known = std::map<std::string, TablePtr, std::less<>>;

/// One reading of one table.
struct Load {
  TablePtr table;
  std::vector<bool> used;          ///< columns that the statement looks at
  const Select* select = nullptr;  ///< whose source it is; null: an insert's own table, of which nothing is read
  std::size_t source = 0;
};

/// Names of the tables that a statement mentions, in lower case.
std::vector<std::string> tables_of(const Statement& statement);

/// Fills in what ast.h says that resolve() sets. bad_request with the name and its place: what is not there, what could mean two
/// things, aggregates and columns where they have no meaning, columns that cannot be written. `values`: of the question marks.
Result<std::vector<Load>> resolve(Statement& statement, const Known& known, const std::vector<Value>& values);

/// Whether the value is the same whatever row is looked at.
bool constant(const Expr& e);

}  // namespace mandate::tables::tsql
