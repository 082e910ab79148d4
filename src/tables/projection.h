// Which columns an answer shows, under which names, and how a row becomes JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tables/schema.h"

namespace mandate::tables {

struct Shown {
  std::string name;      ///< on the wire
  std::string key;       ///< the same as JSON with its colon: `"name":`
  std::size_t source = 0;  ///< index into Projection::select
  store::Type type = store::Type::text;
  Role role = Role::own;
  std::shared_ptr<const odata::Meaning> meaning = nullptr;  ///< of a declared column: how its values are written
  /// A null is left out. Datasync clients leave out numbers and truths of their type's usual value, and cannot read a null
  /// back into one that has no null; what is absent they take for the usual value. A column that the configuration names is
  /// known to have nulls.
  bool quiet = false;
};

struct Projection {
  std::vector<std::string> select;  ///< columns of the plan
  std::vector<Shown> shown;

  void show(std::string name, const Field& field);
  /// Index into `select`, added when it is not there.
  std::size_t source_of(std::string_view column);
};

/// The dialect's view of a whole row. V1 shows the system properties asked for, the others all they have.
Projection whole_row(const Schema& schema, Dialect dialect, const SystemProperties& system);
/// The same, kept with the schema where it is the usual one. Its `select` has the stamp of the row.
std::shared_ptr<const Projection> whole_row_of(const Schema& schema, Dialect dialect, const SystemProperties& system);
/// The columns of a $select (names the client's); V1 adds the system properties asked for. Unknown names are left out.
Projection selected(const Schema& schema, Dialect dialect, const SystemProperties& system, const std::vector<std::string>& names);
/// What V1 answers to a write: the sent members, the id, the system properties asked for.
Projection sent_members(const Schema& schema, const SystemProperties& system, const std::vector<std::string>& sent);

/// Appends the row as a JSON object; `row` was read with the columns of `projection.select`, in that order. Dates leave as
/// yyyy-MM-ddTHH:mm:ss.fffZ, booleans as booleans, the version as base64.
void append_row(std::string& out, const Projection& projection, const store::RowView& row);
void append_row(std::string& out, const Projection& projection, const store::Row& row);
/// The same as a tree. A kept row may have come with other columns, in another order.
JsonObject to_object(const Projection& projection, const store::RowView& row);
JsonObject to_object(const Projection& projection, const store::Row& row);

}  // namespace mandate::tables
