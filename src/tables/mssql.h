// mssql.* of one call of a script (mobile-backend-wire 5.5): host/mssql.js asks, tsql/ does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "tables/operations.h"
#include "tables/script_log.h"

namespace mandate::tables {

namespace tsql {
struct Session;
}

/// What a call of a script may ask:
///   mssql.query  {"sql","values": […],"connection"?} → {"sets": [{"meta": [{"name","type","sqlType","size","nullable"}],"rows": [[…]]}],"touched"}
///   mssql.open {} → {"connection": number}      mssql.close {"connection"} → {}
///   mssql.begin, mssql.commit, mssql.rollback {"connection"} → {}
/// A value is text, a number, true, false, null, or a date as an array of its milliseconds; cells are the same.
/// On the call's loop; lives as long as the call, whose open transactions end with it, undone.
class Mssql {
 public:
  /// `source`: the script's name in its log.
  Mssql(Tables& tables, ScriptLog& lines, std::string source) : tables_(tables), lines_(lines), source_(std::move(source)) {}

  static bool knows(std::string_view method) { return method.starts_with("mssql."); }

  /// For the service of `context`, with administrator's rights. What is wrong with the SQL is also a line of the script's log.
  /// Errors: those of tsql::run(); bad_request for what is no question of these; overloaded with too many at once.
  Task<Json> invoke(OperationContext context, std::string method, Json arguments);

  static constexpr std::size_t kMostConnections = 16, kMostAtOnce = 8;

 private:
  Task<Json> query(OperationContext context, JsonObject arguments);
  Result<std::shared_ptr<tsql::Session>> connection(const JsonObject& arguments) const;

  Tables& tables_;
  ScriptLog& lines_;
  std::string source_;
  std::map<std::int64_t, std::shared_ptr<tsql::Session>> connections_;
  std::int64_t last_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace mandate::tables
