#include "tables/mssql.h"

#include <cmath>

#include "tables/tsql/run.h"

namespace mandate::tables {
namespace {

Error bad(std::string text) { return Error(Code::bad_request, std::move(text)); }

Result<std::vector<tsql::Value>> values_of(const JsonObject& arguments) {
  std::vector<tsql::Value> out;
  const Json* given = arguments.if_contains("values");
  if (!given) return out;
  if (!given->is_array()) return bad("The values of an SQL text must be an array.");
  for (const Json& each : given->get_array()) {
    if (each.is_null()) out.emplace_back();
    else if (each.is_bool()) out.emplace_back(each.get_bool());
    else if (each.is_int64()) out.emplace_back(each.get_int64());
    else if (each.is_double()) out.emplace_back(each.get_double());
    else if (each.is_uint64()) out.emplace_back(static_cast<double>(each.get_uint64()));
    else if (each.is_string()) out.emplace_back(std::string(view(each.get_string())));
    else if (each.is_array() && each.get_array().size() == 1 && each.get_array()[0].is_int64()) out.emplace_back(tsql::Moment{each.get_array()[0].get_int64()});
    else return bad("A value of an SQL text is no text, number, truth value, date or null.");
  }
  return out;
}

/// As the driver of those days named them.
std::string_view kind_of(tsql::Type type) {
  switch (type) {
    case tsql::Type::bit: return "boolean";
    case tsql::Type::integer:
    case tsql::Type::real: return "number";
    case tsql::Type::date: return "date";
    default: return "text";
  }
}

std::int64_t size_of(tsql::Type type) {
  switch (type) {
    case tsql::Type::bit: return 1;
    case tsql::Type::integer: return 19;
    case tsql::Type::real: return 53;
    case tsql::Type::date: return 34;
    default: return 0;
  }
}

Json shown(tsql::Results results) {
  JsonArray sets;
  for (tsql::ResultSet& set : results.sets) {
    JsonArray meta;
    for (std::size_t i = 0; i < set.names.size(); ++i) {
      const tsql::Type type = set.types[i];
      const std::string_view sql = type == tsql::Type::null ? "nvarchar" : tsql::name_of(type);
      meta.push_back(JsonObject{{"name", set.names[i]}, {"type", kind_of(type)}, {"sqlType", sql}, {"size", size_of(type)}, {"nullable", true}});
    }
    sets.push_back(JsonObject{{"meta", std::move(meta)}, {"rows", std::move(set.rows)}});
  }
  return JsonObject{{"sets", std::move(sets)}, {"touched", results.touched}};
}

struct Counted {
  explicit Counted(std::size_t& n) : number(n) { ++number; }
  ~Counted() { --number; }
  Counted(const Counted&) = delete;
  std::size_t& number;
};

}  // namespace

Result<std::shared_ptr<tsql::Session>> Mssql::connection(const JsonObject& arguments) const {
  const auto found = connections_.find(integer_member(arguments, "connection").value_or(0));
  if (found == connections_.end()) return bad("The connection is closed.");
  return found->second;
}

Task<Json> Mssql::invoke(OperationContext context, std::string method, Json arguments) {
  JsonObject given;
  if (arguments.is_object()) given = std::move(arguments.get_object());
  context.principal.level = identity::Level::admin;
  context.unlimited = true;
  if (under_way_ >= kMostAtOnce) co_return Error(Code::overloaded, "The script has too many SQL statements under way.");
  const Counted counted(under_way_);
  if (method == "mssql.query") {
    Task<Json> asking = query(std::move(context), std::move(given));
    Result<Json> answer = co_await asking;
    co_return answer;
  }
  if (method == "mssql.open") {
    if (connections_.size() >= kMostConnections) co_return bad("The script has " + std::to_string(kMostConnections) + " connections open. Close them when they are done.");
    connections_.emplace(++last_, std::make_shared<tsql::Session>());
    co_return JsonObject{{"connection", last_}};
  }
  CO_TRY(const std::shared_ptr<tsql::Session> session, connection(given));
  if (session->busy && method != "mssql.close") co_return bad("The connection is busy with another statement.");
  if (method == "mssql.close") {
    connections_.erase(integer_member(given, "connection").value_or(0));
  } else if (method == "mssql.begin") {
    CO_CHECK(tsql::begin(*session));
  } else if (method == "mssql.rollback") {
    CO_CHECK(tsql::rollback(*session));
  } else if (method == "mssql.commit") {
    Task<void> committing = tsql::commit(tables_, std::move(context), session);
    CO_CHECK(co_await committing);
  } else {
    co_return bad("There is no '" + method + "'.");
  }
  co_return JsonObject{};
}

Task<Json> Mssql::query(OperationContext context, JsonObject arguments) {
  const auto sql = text_member(arguments, "sql");
  if (!sql) co_return bad("The SQL must be a text.");
  CO_TRY(std::vector<tsql::Value> values, values_of(arguments));
  std::shared_ptr<tsql::Session> session = std::make_shared<tsql::Session>();
  if (arguments.contains("connection")) {
    CO_TRY(session, connection(arguments));
  }
  store::Store& store = *context.here.store;
  const std::string service = context.service->name;
  Task<tsql::Results> running = tsql::run(tables_, std::move(context), std::string(*sql), std::move(values), session);
  Result<tsql::Results> results = co_await running;
  if (results.ok()) co_return shown(*std::move(results));
  const Error& error = results.error();
  lines_.add(store, {0, service, source_, "error", "mssql: " + (error.hint.empty() ? std::string(name(error.code)) : error.hint)});
  co_return error;
}

}  // namespace mandate::tables
