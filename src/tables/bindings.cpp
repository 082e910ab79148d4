#include "tables/bindings.h"

#include "base/url.h"
#include "tables/app_acts.h"
#include "tables/odata/parser.h"
#include "tables/script_dates.h"
#include "tables/script_fetch.h"

namespace mandate::tables {
namespace {

/// A script's query has no address line to fit into, and its text was made by translation.
const odata::Limits kLimits{.bytes = 256 << 10, .depth = 250, .nodes = 20'000, .orderings = 32, .columns = 500, .members = 1000};

Result<std::string> id_of(const Json* id) {
  if (id && id->is_string() && !id->get_string().empty()) return std::string(view(id->get_string()));
  if (id && id->is_number()) return to_json(*id);
  return Error(Code::bad_request, "An id is needed.");
}

JsonObject object_member(JsonObject& from, std::string_view name) {
  Json* value = from.if_contains(name);
  return value && value->is_object() ? std::move(value->get_object()) : JsonObject();
}

/// Takes the system properties out of what a script writes back; the version is what the row is expected to have.
std::optional<std::string> strip_system(JsonObject& item, Dialect dialect) {
  std::optional<std::string> version;
  std::vector<std::string> gone;
  for (const auto& member : item) {
    const std::string_view key(member.key().data(), member.key().size());
    const std::string_view bare = dialect == Dialect::v1 && key.starts_with("__") ? key.substr(2) : dialect != Dialect::v1 ? key : std::string_view();
    if (bare != "version" && bare != "createdAt" && bare != "updatedAt" && bare != "deleted") continue;
    if (bare == "version" && member.value().is_string()) version = std::string(view(member.value().get_string()));
    gone.emplace_back(key);
  }
  for (const std::string& key : gone) item.erase(key);
  return version;
}

/// As apps of the second generation name the types of columns.
std::string_view word_of(store::Type type) {
  switch (type) {
    case store::Type::boolean: return "boolean";
    case store::Type::integer:
    case store::Type::real: return "number";
    case store::Type::date: return "datetime";
    default: return "string";
  }
}

/// Whether an app of the second generation asks: only columns that it declares had dates there.
bool by_app(const JsonObject& arguments) { return bool_member(arguments, "asCaller").value_or(false); }

/// "filter": what the row must be beside its id.
Result<void> add_condition(OperationContext& context, const JsonObject& arguments) {
  const auto filter = text_member(arguments, "filter");
  if (!filter || filter->empty()) return {};
  TRY(context.also, odata::parse_filter(*filter, kLimits, is_datasync(context.dialect) ? odata::Grammar::v4 : odata::Grammar::v2));
  return {};
}

JsonObject outcome_of(Answer& answer) {
  JsonObject out;
  if (answer.kind == Answer::Kind::stale) out["conflict"] = answer.item;
  else if (answer.kind == Answer::Kind::row) out["item"] = answer.item;
  return out;
}

}  // namespace

JsonObject query_to_wire(const odata::Query& query) {
  std::string select;
  for (const std::string& column : query.select) select += (select.empty() ? "" : ",") + column;
  JsonObject out{{"filter", odata::to_text(query.filter)}, {"orderBy", odata::to_text(query.order)}, {"select", select}};
  if (query.skip > 0) out["skip"] = query.skip;
  if (query.top) out["top"] = *query.top;
  if (query.total) out["inlineCount"] = true;
  if (query.id) out["id"] = *query.id;
  return out;
}

Result<odata::Query> query_from_wire(const JsonObject& wire, Dialect dialect) {
  const odata::Grammar grammar = is_datasync(dialect) ? odata::Grammar::v4 : odata::Grammar::v2;
  odata::Query out;
  if (const auto filter = text_member(wire, "filter"); filter && !filter->empty()) {
    TRY(out.filter, odata::parse_filter(*filter, kLimits, grammar));
  }
  if (const auto order = text_member(wire, "orderBy"); order && !order->empty()) {
    TRY(out.order, odata::parse_order(*order, kLimits, grammar));
  }
  if (const auto select = text_member(wire, "select"); select && !select->empty()) {
    TRY(out.select, odata::parse_select(*select, kLimits));
  }
  out.skip = integer_member(wire, "skip").value_or(0);
  out.top = integer_member(wire, "top");
  out.total = bool_member(wire, "inlineCount").value_or(false);
  if (const auto id = text_member(wire, "id")) out.id = std::string(*id);
  return out;
}

JsonArray system_to_wire(const SystemProperties& system, Dialect dialect) {
  JsonArray out;
  const std::string prefix = dialect == Dialect::v1 ? "__" : "";
  if (system.created) out.emplace_back(prefix + "createdAt");
  if (system.updated) out.emplace_back(prefix + "updatedAt");
  if (system.version) out.emplace_back(prefix + "version");
  if (system.deleted) out.emplace_back(prefix + "deleted");
  return out;
}

Result<SystemProperties> system_from_wire(const JsonArray& names) {
  SystemProperties out;
  for (const Json& each : names) {
    std::string word = each.is_string() ? ascii_lower(view(each.get_string())) : "";
    if (word.starts_with("__")) word.erase(0, 2);
    if (word == "*") out = SystemProperties::all();
    else if (word == "createdat") out.created = true;
    else if (word == "updatedat") out.updated = true;
    else if (word == "version") out.version = true;
    else if (word == "deleted") out.deleted = true;
    else return Error(Code::bad_request, "'" + word + "' is not a supported system property.");
  }
  return out;
}

Result<Act> apply(Act act, JsonObject arguments) {
  if (const Json* names = arguments.if_contains("systemProperties"); names && names->is_array()) {
    TRY(act.context.system, system_from_wire(names->get_array()));
  }
  if (const auto deleted = bool_member(arguments, "includeDeleted")) act.context.include_deleted = *deleted;
  CHECK_OK(add_condition(act.context, arguments));
  if (act.operation == Operation::read) {
    const Json* wire = arguments.if_contains("query");
    if (!wire || !wire->is_object()) return Error(Code::server_error, "", "the script's query is missing");
    const std::optional<std::int64_t> asked_top = act.query.top;
    TRY(odata::Query query, query_from_wire(wire->get_object(), act.context.dialect));
    query.id = act.query.id;
    query.expand = act.query.expand;
    // Behind which row a page ended says nothing in an order that is the script's: it may be another one for the next page.
    if (odata::to_text(query.order) != odata::to_text(act.query.order)) act.context.resumable = false;
    // A page that the script chose has no limit; the caller's own keeps that of its dialect.
    if (query.top && query.top != asked_top) act.context.unlimited = true, act.context.look_ahead = false;
    act.query = std::move(query);
  } else if (act.operation == Operation::insert || act.operation == Operation::update) {
    Json* item = arguments.if_contains("item");
    if (!item || !item->is_object()) return Error(Code::server_error, "", "the script's item is no object");
    act.item = std::move(item->get_object());
    if (act.operation == Operation::update) {
      if (auto version = strip_system(act.item, act.context.dialect)) act.expected_version = std::move(version);
    }
  }
  return act;
}

Task<Json> TableBinding::invoke(std::string_view method, Json arguments) {
  const bool outwards = method == "http.fetch";
  if (outwards && ++exchanges_ > ScriptFetch::kMostOfCall) co_return Error(Code::bad_request, "The script made too many requests to other servers.");
  if (others_ && *others_ && (outwards || method.starts_with("push."))) {
    Task<Json> asking = (*others_)(act_.context, std::string(method), std::move(arguments));
    Result<Json> answer = co_await asking;
    co_return answer;
  }
  if (Mssql::knows(method)) {
    Task<Json> asking = mssql_.invoke(act_.context, std::string(method), std::move(arguments));
    Result<Json> answer = co_await asking;
    co_return answer;
  }
  JsonObject given;
  if (arguments.is_object()) given = std::move(arguments.get_object());
  std::optional<Task<Json>> task;
  if (method == "request.execute" && act_.context.table) task.emplace(execute(std::move(given)));
  else if (method == "tables.read") task.emplace(read(std::move(given)));
  else if (method == "tables.lookup") task.emplace(lookup(std::move(given)));
  else if (method == "tables.insert") task.emplace(insert(std::move(given)));
  else if (method == "tables.update") task.emplace(update(std::move(given)));
  else if (method == "tables.del") task.emplace(remove(std::move(given)));
  else if (method == "tables.undelete") task.emplace(undelete(std::move(given)));
  else if (method == "tables.truncate") task.emplace(truncate(std::move(given)));
  else if (method == "tables.schema") task.emplace(schema(std::move(given)));
  else co_return Error(Code::bad_request, "There is no '" + std::string(method) + "' for table scripts.");
  Task<Json> named = std::move(*task);  // g++ 12 would copy what is not
  Result<Json> result = co_await named;
  co_return result;
}

void TableBinding::console(std::string_view level, std::string_view text) {
  lines_.add(*act_.context.here.store, {0, act_.context.service->name, source_, std::string(level), std::string(text)});
}

Task<Json> TableBinding::execute(JsonObject arguments) {
  const bool of_app = !act_.conflict && is_of_app(*act_.context.service, *act_.context.table, act_.operation);
  Result<Act> act = apply(act_, std::move(arguments));
  if (!act.ok()) {
    executed = act.error();
    co_return std::move(act).error();
  }
  if (act->operation == Operation::read) {
    Task<Rows> reading = tables_.read_rows(act->context, act->query);
    Result<Rows> rows = co_await reading;
    if (!rows.ok()) {
      executed = rows.error();
      co_return std::move(rows).error();
    }
    Answer read;
    read.more = rows->more;
    read.last = std::move(rows->last);
    read.count = static_cast<std::int64_t>(rows->items.size());
    read.deleted = rows->deleted;
    executed.emplace(std::move(read));
    JsonObject out{{"results", std::move(rows->items)}};
    if (rows->total) out["totalCount"] = *rows->total;
    Task<Json> telling = with_dates(std::move(act->context), std::move(out), std::move(act->query.select), of_app);
    Result<Json> told = co_await telling;
    co_return told;
  }
  OperationContext context = act->context;
  Task<Answer> doing = tables_.perform(std::move(*act));
  Result<Answer> answer = co_await doing;
  executed = answer;
  if (!answer.ok()) co_return std::move(answer).error();
  Task<Json> telling = with_dates(std::move(context), outcome_of(*answer), {}, of_app);
  Result<Json> told = co_await telling;
  co_return told;
}

Task<Json> TableBinding::with_dates(OperationContext context, JsonObject out, std::vector<std::string> selected, bool declared_only) {
  const Json* rows = out.if_contains("results");
  const Json* row = out.if_contains("item") ? out.if_contains("item") : out.if_contains("conflict");
  if (rows ? rows->get_array().empty() : !row) co_return out;
  const tenant::Table& table = *context.table;
  const Dialect dialect = context.dialect;
  Task<ColumnTypes> looking = tables_.columns(std::move(context));
  CO_TRY(ColumnTypes columns, co_await looking);
  if (declared_only) columns = declared_of(std::move(columns), table);
  JsonArray dates = rows ? dates_of_rows(columns, selected, dialect) : dates_of_row(row->get_object(), columns, dialect);
  if (!dates.empty()) out["dates"] = std::move(dates);
  co_return out;
}

Result<OperationContext> TableBinding::context_of(const JsonObject& arguments) const {
  OperationContext out = act_.context;
  const std::string_view name = text_member(arguments, "table").value_or("");
  out.table = out.service->table(name);
  if (!out.table) return Error(Code::not_found, "Table '" + std::string(name) + "' does not exist.");
  // Of a table of users' own rows an app's code reaches those of its caller.
  const bool as_caller = bool_member(arguments, "asCaller").value_or(false) && !out.table->user_id_column.empty();
  if (!as_caller) out.principal.level = identity::Level::admin;
  out.also = nullptr;
  CHECK_OK(add_condition(out, arguments));
  // The page that the client asked for is one of its own table.
  out.look_ahead = out.resumable = false;
  out.after.clear();
  out.unlimited = true;
  out.include_deleted = bool_member(arguments, "includeDeleted").value_or(false);
  out.system = {};
  if (const Json* names = arguments.if_contains("systemProperties"); names && names->is_array()) {
    TRY(out.system, system_from_wire(names->get_array()));
  }
  return out;
}

Task<Json> TableBinding::read(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  const JsonObject wire = object_member(arguments, "query");
  CO_TRY(odata::Query query, query_from_wire(wire, context.dialect));
  OperationContext at = context;
  std::vector<std::string> selected = query.select;
  Task<Rows> reading = tables_.read_rows(std::move(context), std::move(query));
  CO_TRY(Rows rows, co_await reading);
  JsonObject out{{"results", std::move(rows.items)}};
  if (rows.total) out["totalCount"] = *rows.total;
  Task<Json> telling = with_dates(std::move(at), std::move(out), std::move(selected), by_app(arguments));
  Result<Json> told = co_await telling;
  co_return told;
}

Task<Json> TableBinding::lookup(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  CO_TRY(std::string id, id_of(arguments.if_contains("id")));
  OperationContext at = context;
  Task<JsonObject> looking = tables_.lookup(std::move(context), std::move(id));
  CO_TRY(JsonObject item, co_await looking);
  JsonObject out{{"item", std::move(item)}};
  Task<Json> telling = with_dates(std::move(at), std::move(out), {}, by_app(arguments));
  Result<Json> told = co_await telling;
  co_return told;
}

Task<Json> TableBinding::insert(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  JsonObject item = object_member(arguments, "item");
  OperationContext at = context;
  Task<Answer> inserting = tables_.insert(std::move(context), std::move(item));
  CO_TRY(Answer answer, co_await inserting);
  Task<Json> telling = with_dates(std::move(at), outcome_of(answer), {}, by_app(arguments));
  Result<Json> told = co_await telling;
  co_return told;
}

Task<Json> TableBinding::update(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  JsonObject item = object_member(arguments, "item");
  CO_TRY(std::string id, id_of(item.if_contains("id")));
  std::optional<std::string> version = strip_system(item, context.dialect);
  OperationContext at = context;
  Task<Answer> updating = tables_.update(std::move(context), std::move(id), std::move(item), std::move(version));
  CO_TRY(Answer answer, co_await updating);
  Task<Json> telling = with_dates(std::move(at), outcome_of(answer), {}, by_app(arguments));
  Result<Json> told = co_await telling;
  co_return told;
}

Task<Json> TableBinding::remove(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  CO_TRY(std::string id, id_of(arguments.if_contains("id")));
  std::optional<std::string> version;
  if (const auto given = text_member(arguments, "version")) version = std::string(*given);
  OperationContext at = context;
  Task<Answer> removing = tables_.remove(std::move(context), std::move(id), std::move(version));
  CO_TRY(Answer answer, co_await removing);
  if (answer.kind != Answer::Kind::stale && !bool_member(arguments, "row").value_or(false)) co_return JsonObject{};
  Task<Json> telling = with_dates(std::move(at), outcome_of(answer), {}, by_app(arguments));
  Result<Json> told = co_await telling;
  co_return told;
}

Task<Json> TableBinding::undelete(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  CO_TRY(std::string id, id_of(arguments.if_contains("id")));
  std::optional<std::string> version;
  if (const auto given = text_member(arguments, "version")) version = std::string(*given);
  OperationContext at = context;
  Task<Answer> bringing = tables_.undelete(std::move(context), std::move(id), std::move(version));
  CO_TRY(Answer answer, co_await bringing);
  Task<Json> telling = with_dates(std::move(at), outcome_of(answer), {}, by_app(arguments));
  Result<Json> told = co_await telling;
  co_return told;
}

// A piece at a time, as a delete without an id.
Task<Json> TableBinding::truncate(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  odata::Query query;
  CO_TRY(query.filter, odata::parse_filter("id ne null", kLimits));
  Task<Answer> removing = tables_.remove_matching(std::move(context), std::move(query));
  CO_TRY(const Answer answer, co_await removing);
  co_return JsonObject{{"count", answer.count}};
}

Task<Json> TableBinding::schema(JsonObject arguments) {
  CO_TRY(OperationContext context, context_of(arguments));
  Task<std::vector<std::pair<std::string, store::Type>>> asking = tables_.columns(std::move(context));
  CO_TRY(const auto columns, co_await asking);
  JsonArray out;
  for (const auto& [name, type] : columns) out.push_back(JsonObject{{"name", name}, {"type", word_of(type)}});
  co_return JsonObject{{"columns", std::move(out)}};
}

}  // namespace mandate::tables
