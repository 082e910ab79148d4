// What a table script may call: the tables of its own service (scripts/table_protocol.h).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "scripts/binding.h"
#include "tables/mssql.h"
#include "tables/operations.h"
#include "tables/script_log.h"

namespace mandate::tables {

/// The query of an act in the words of scripts, and back. Coming back: bad_request for text that does not parse.
JsonObject query_to_wire(const odata::Query& query);
/// `dialect`: whose grammar the texts are in.
Result<odata::Query> query_from_wire(const JsonObject& wire, Dialect dialect = Dialect::v2);

/// The system properties as scripts name them.
JsonArray system_to_wire(const SystemProperties& system, Dialect dialect);
/// "*", or names with or without the two underscores in any case; bad_request for another.
Result<SystemProperties> system_from_wire(const JsonArray& names);

/// `act` as the script left it: its item or query, its options. The version inside an item becomes the expected one.
Result<Act> apply(Act act, JsonObject arguments);

/// What scripts call of other rooms, by dotted names such as "push.send", and http.fetch. `context` is only borrowed for the call.
using OtherCalls = std::function<Task<Json>(const OperationContext& context, std::string method, Json arguments)>;

/// One call's binding. request.execute is the act itself, for the caller it came from; tables.* act with administrator's
/// rights, without page limits, and never start another script.
class TableBinding final : public scripts::Binding {
 public:
  TableBinding(Act act, std::string source, Tables& tables, ScriptLog& lines, const OtherCalls* others = nullptr)
      : act_(std::move(act)), source_(std::move(source)), tables_(tables), lines_(lines), others_(others), mssql_(tables, lines, source_) {}

  Task<Json> invoke(std::string_view method, Json arguments) override;
  void console(std::string_view level, std::string_view text) override;

  /// What request.execute last came to, for the default answer.
  std::optional<Result<Answer>> executed;

 private:
  Task<Json> execute(JsonObject arguments);
  Task<Json> read(JsonObject arguments);
  Task<Json> lookup(JsonObject arguments);
  Task<Json> insert(JsonObject arguments);
  Task<Json> update(JsonObject arguments);
  Task<Json> remove(JsonObject arguments);
  Task<Json> undelete(JsonObject arguments);
  Task<Json> truncate(JsonObject arguments);
  Task<Json> schema(JsonObject arguments);
  /// `out` with "dates": which members of its rows are moments. `selected`: the columns that a list asked for.
  Task<Json> with_dates(OperationContext context, JsonObject out, std::vector<std::string> selected, bool declared_only);
  Result<OperationContext> context_of(const JsonObject& arguments) const;

  Act act_;
  std::string source_;
  Tables& tables_;
  ScriptLog& lines_;
  const OtherCalls* others_;  ///< null: none
  int exchanges_ = 0;         ///< with other servers
  Mssql mssql_;
};

}  // namespace mandate::tables
