#include "tables/scripted.h"

#include "base/base64.h"
#include "tables/app_acts.h"
#include "tables/script_dates.h"
#include "tables/script_user.h"

namespace mandate::tables {
namespace {

std::string_view word_of(Operation operation) {
  switch (operation) {
    case Operation::read: return "read";
    case Operation::insert: return "insert";
    case Operation::remove: return "del";
    case Operation::update:
    case Operation::undelete: return "update";
  }
  return "read";
}

/// A parameter given twice counts once, by its last value.
std::vector<std::pair<std::string_view, std::string_view>> last_of_each(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  for (const auto& [name, value] : parameters) {
    const auto known = std::ranges::find_if(out, [&](const auto& each) { return each.first == name; });
    if (known == out.end()) out.emplace_back(name, value);
    else known->second = value;
  }
  return out;
}

void append_object(std::string& out, const JsonObject& object) {
  out += '{';
  for (const auto& member : object) {
    if (out.back() != '{') out += ',';
    append_json_string(out, {member.key().data(), member.key().size()});
    out += ':';
    append_json(out, member.value());
  }
  out += '}';
}

std::string_view script_name(const Act& act) { return act.conflict ? tenant::kConflict : script_of(act.operation); }

/// Whether the code of the service's app stands around the act.
bool is_of_app(const Act& act) { return !act.conflict && is_of_app(*act.context.service, *act.context.table, act.operation); }

std::string_view word_of(Dialect dialect) {
  static constexpr std::string_view kWords[] = {"v1", "v2", "v3", "v4"};
  return kWords[static_cast<std::size_t>(dialect)];
}

/// A table's hooks as the only file there is.
scripts::BundlePtr alone(const std::string& file, const tenant::TableScript& script) {
  return std::make_shared<const scripts::Bundle>(scripts::Bundle{file + "@" + std::to_string(script.version), {{file, script.source}}});
}

/// What of an act's item, and of the row that it met, is given to scripts as Date.
struct Moments {
  JsonObject item;
  JsonArray conflict;
};

/// The act in the words of scripts/table_protocol.h. Written, not built: every call of a script passes here. `hooks`: the
/// file that has them, if it is for those.
std::string context_of(const Act& act, std::string_view hooks, const Moments& moments) {
  const identity::Principal& who = act.context.principal;
  std::string out;
  out.reserve(512);
  const auto text = [&out](std::string_view name, std::string_view value) {
    out.append(name);
    append_json_string(out, value);
  };
  const auto flag = [&out](std::string_view name, bool value) { out.append(name).append(value ? "true" : "false"); };
  text(R"({"operation":)", word_of(act.operation));
  if (!hooks.empty()) text(R"(,"script":)", hooks);
  if (is_of_app(act)) {
    flag(R"(,"app":)", true);
    text(R"(,"dialect":)", word_of(act.context.dialect));
    if (act.asked) {
      out += R"(,"asked":)";
      append_object(out, *act.asked);
    }
  }
  text(R"(,"table":)", act.context.table->name);
  if (act.conflict) {
    out += R"(,"conflict":)";
    append_object(out, *act.conflict);
    if (!moments.conflict.empty()) {
      out += R"(,"conflictDates":)";
      append_json(out, Json(moments.conflict));
    }
  }
  flag(R"(,"undelete":)", act.operation == Operation::undelete);
  flag(R"(,"includeDeleted":)", act.context.include_deleted);
  out += R"(,"systemProperties":)";
  append_json(out, system_to_wire(act.context.system, act.context.dialect));
  if (!act.id.empty()) {
    // Integer ids are numbers to scripts, as they are in rows.
    const Result<Json> number = act.context.table->integer_id ? parse_json(act.id) : Result<Json>(Json(act.id));
    out += R"(,"id":)";
    append_json(out, number.ok() ? *number : Json(act.id));
  }
  switch (act.operation) {
    case Operation::read:
      out += R"(,"query":)";
      append_object(out, query_to_wire(act.query));
      break;
    case Operation::insert:
    case Operation::update:
      out += R"(,"item":)";
      append_object(out, act.item);
      if (!moments.item.empty()) {
        out += R"(,"dates":)";
        append_object(out, moments.item);
      }
      break;
    case Operation::undelete: out += act.context.dialect == Dialect::v1 ? R"(,"item":{"__deleted":false})" : R"(,"item":{"deleted":false})"; break;
    case Operation::remove: break;
  }
  out += R"(,"parameters":{)";
  for (const auto& [name, value] : last_of_each(act.parameters)) {
    if (out.back() != '{') out += ',';
    append_json_string(out, name);
    text(":", value);
  }
  out += R"(},"user":)";
  append_script_user(out, who);
  out += '}';
  return out;
}

/// respond(error): the dialect writes what it has a code for; any other status is answered as it is.
Result<Answer> error_answer(const JsonObject& error, Dialect dialect) {
  const std::string message(text_member(error, "message").value_or(""));
  const int status = static_cast<int>(integer_member(error, "statusCode").value_or(500));
  switch (status) {
    case 400: return Error(Code::bad_request, message);
    case 401: return Error(Code::unauthorized, message);
    case 403: return Error(Code::forbidden, message);
    case 404: return Error(Code::not_found, message);
    case 409: return Error(Code::conflict, message);
    case 500: return Error(Code::server_error, "", "the script answered with an error: " + std::string(text_member(error, "stack").value_or(message)));
    default: break;
  }
  Answer out;
  out.kind = Answer::Kind::responded;
  out.status = status;
  JsonObject body;
  if (dialect == Dialect::v1) body["code"] = status;
  body["error"] = dialect == Dialect::v1 ? "Error: " + message : message;
  out.body = std::move(body);
  return out;
}

/// The answer the script gave by respond(); nullopt when it left that to us.
std::optional<Result<Answer>> given_answer(const JsonObject& outcome, Dialect dialect) {
  if (const Json* answer = outcome.if_contains("answer"); answer && answer->is_object()) {
    Answer out;
    out.kind = Answer::Kind::responded;
    out.status = static_cast<int>(integer_member(answer->get_object(), "status").value_or(500));
    if (const Json* body = answer->get_object().if_contains("body")) out.body = *body;
    return Result<Answer>(std::move(out));
  }
  if (const Json* error = outcome.if_contains("error"); error && error->is_object()) return error_answer(error->get_object(), dialect);
  return std::nullopt;
}

/// respond() after execute(): the default answer, with what the script made of the rows.
Result<Answer> default_answer(const Act& act, const JsonObject& left, const TableBinding& binding) {
  if (!binding.executed) return Error(Code::server_error, "", "a default answer without an execute");
  if (!binding.executed->ok()) return binding.executed->error();
  Answer out = **binding.executed;
  if (act.operation != Operation::read) {
    if (const Json* item = left.if_contains("item"); item && item->is_object() && out.kind == Answer::Kind::row) out.item = item->get_object();
    return out;
  }
  const Json* results = left.if_contains("results");
  const JsonArray* rows = results ? results->if_array() : nullptr;
  if (!act.query.id) {
    out.kind = Answer::Kind::rows;
    out.json = results ? to_json(*results) : "[]";
    // The next page begins behind the rows that were read, whatever the script left of them.
    if (!is_datasync(act.context.dialect)) out.count = rows ? static_cast<std::int64_t>(rows->size()) : 0;
    out.total = integer_member(left, "totalCount");
    return out;
  }
  if (rows && rows->size() > 1) return Error(Code::server_error, "", "a read by id gave more than one row");
  if (rows && rows->empty() && out.deleted) return Error(Code::gone, "The item has been deleted.");
  if (rows && rows->empty()) return Error(Code::not_found, "An item with id '" + *act.query.id + "' does not exist.");
  out.kind = Answer::Kind::row;
  out.json = results ? to_json(rows ? rows->front() : *results) : "{}";
  return out;
}

/// The fields and bytes that an app's code wrote; null when it wrote none.
Result<std::shared_ptr<const Written>> written_of(const JsonObject& outcome) {
  const Json* response = outcome.if_contains("response");
  const JsonObject& from = response && response->is_object() ? response->get_object() : outcome;
  const Json* headers = from.if_contains("headers");
  if (&from == &outcome && !headers) return std::shared_ptr<const Written>();
  Written out;
  out.status = static_cast<int>(integer_member(from, "status").value_or(200));
  if (out.status < 200 || out.status > 599) return Error(Code::server_error, "", "the app answered with a status that there is not");
  if (headers && headers->is_array())
    for (const Json& each : headers->get_array())
      if (const JsonArray* pair = each.if_array(); pair && pair->size() == 2 && (*pair)[0].is_string() && (*pair)[1].is_string())
        out.headers.emplace_back(view((*pair)[0].get_string()), view((*pair)[1].get_string()));
  if (const auto bytes = text_member(from, "base64")) out.body = base64_any_decode(*bytes).value_or("");
  else if (const auto text = text_member(from, "body")) out.body = std::string(*text);
  return std::make_shared<const Written>(std::move(out));
}

class TableScripts final : public Script {
 public:
  TableScripts(scripts::Host& host, Tables& tables, ScriptLog& lines, OtherCalls others, ServiceCalls* calls)
      : host_(host), tables_(tables), lines_(lines), others_(std::move(others)), calls_(calls) {}

  // Which hooks a file has is known to JavaScript only; an operation without one is done there and then.
  bool has(const Act& act) const override { return is_of_app(act) || script_for(act) != nullptr; }

  Task<Answer> run(Act act) override {
    static const tenant::TableScript kOfApp{"process", 0};  // it may look at its settings
    const bool app = is_of_app(act);
    const tenant::TableScript& script = app ? kOfApp : *script_for(act);
    const bool hooks = app || !is_script(act);
    std::string source = app ? "/" + act.context.service->code.app
                             : hooks ? "/" + hooks_file(act.context.table->name) : script_source(act.context.table->name, script_name(act));
    scripts::Call call;
    call.realm = act.context.here->name + "/" + act.context.service->name;
    call.version = script.version;
    call.deadline = act.context.deadline;
    if (calls_ && !calls_->prepare(call, act.context.here, *act.context.service, looks_at_settings(script.source))) {
      Task<scripts::BundlePtr> loading = calls_->load(act.context.here, act.context.service);
      CO_TRY(call.bundle, co_await loading);
    }
    if (hooks) {
      call.kind = "hooks";
      if (!call.bundle) call.bundle = calls_ ? calls_->hooks(act.context.here, *act.context.service) : alone(source.substr(1), script);
      // One that is not there fails the call: an operation is never done without its hooks.
      if (const std::string* file = call.bundle ? spelling_of(*call.bundle, std::string_view(source).substr(1)) : nullptr) source = "/" + *file;
    } else {
      call.source = script.source;
    }
    call.name = source;
    Moments moments;
    // Apps of the second generation had the items of clients as they came.
    if (!app && (act.conflict || may_have_dates(act.item))) {
      Task<ColumnTypes> looking = tables_.columns(act.context);
      CO_TRY(const ColumnTypes columns, co_await looking);
      moments.item = dates_of_item(act.item, columns, act.context.dialect);
      if (act.conflict) moments.conflict = dates_of_row(*act.conflict, columns, act.context.dialect);
    }
    call.context = context_of(act, hooks ? std::string_view(source).substr(1) : std::string_view(), moments);
    // The text has it, and execute() brings it back as the script left it.
    if (act.operation == Operation::insert || act.operation == Operation::update) act.item.clear();
    const auto binding = std::make_shared<TableBinding>(act, source, tables_, lines_, &others_);
    Task<Json> running = host_.run(std::move(call), binding);
    Result<Json> outcome = co_await running;
    if (!outcome.ok()) {
      note(act, source, outcome.error());
      co_return std::move(outcome).error();
    }
    Task<Answer> concluding = conclude(std::move(act), std::move(*outcome), binding);
    Result<Answer> answer = co_await concluding;
    if (!answer.ok() && answer.error().code == Code::server_error) note(*binding, answer.error());
    co_return answer;
  }

 private:
  /// From what the script ended with to the act's answer.
  Task<Answer> conclude(Act act, Json outcome, std::shared_ptr<TableBinding> binding) {
    if (!outcome.is_object()) co_return Error(Code::server_error, "", "the script ended with nothing");
    JsonObject& end = outcome.get_object();
    std::optional<Result<Answer>> given = given_answer(end, act.context.dialect);
    Json* execute = end.if_contains("execute");
    if (execute && execute->is_object()) {
      CO_TRY(Act changed, apply(std::move(act), std::move(execute->get_object())));
      Task<Answer> doing = tables_.perform(std::move(changed));
      Result<Answer> done = co_await doing;
      if (given) co_return std::move(*given);
      co_return done;
    }
    if (given) co_return std::move(*given);
    CO_TRY(std::shared_ptr<const Written> written, written_of(end));
    if (written && end.contains("response")) {
      Answer out;
      out.kind = Answer::Kind::responded;
      out.status = written->status;
      out.written = std::move(written);
      co_return out;
    }
    if (end.contains("defaultError")) {
      if (!binding->executed) co_return Error(Code::server_error, "", "a default error without an execute");
      co_return *binding->executed;
    }
    const Json* left = end.if_contains("default");
    if (!left || !left->is_object()) co_return Error(Code::server_error, "", "the script ended with something unknown");
    Result<Answer> answer = default_answer(act, left->get_object(), *binding);
    if (answer.ok()) answer->written = std::move(written);
    co_return answer;
  }

  static bool is_script(const Act& act) {
    const auto found = act.context.table->scripts.find(script_name(act));
    return found != act.context.table->scripts.end() && !found->second.source.empty();
  }
  static const tenant::TableScript* script_for(const Act& act) {
    const auto& scripts = act.context.table->scripts;
    for (const std::string_view each : {script_name(act), act.conflict ? tenant::kConflict : tenant::kHooks})
      if (const auto found = scripts.find(each); found != scripts.end() && !found->second.source.empty()) return &found->second;
    return nullptr;
  }

  void note(const Act& act, const std::string& source, const Error& error) {
    const std::string text = error.detail.empty() ? error.hint : error.detail;
    lines_.add(*act.context.here.store, {0, act.context.service->name, source, "error", text});
  }
  static void note(TableBinding& binding, const Error& error) { binding.console("error", error.detail.empty() ? error.hint : error.detail); }

  scripts::Host& host_;
  Tables& tables_;
  ScriptLog& lines_;
  const OtherCalls others_;
  ServiceCalls* const calls_;
};

}  // namespace

std::string_view script_of(Operation operation) {
  switch (operation) {
    case Operation::read: return "read";
    case Operation::insert: return "insert";
    case Operation::remove: return "delete";
    case Operation::update:
    case Operation::undelete: return "update";
  }
  return "read";
}

std::string script_source(std::string_view table, std::string_view script) {
  return "/table/" + std::string(table) + "." + std::string(script) + ".js";
}

std::unique_ptr<Script> make_table_scripts(scripts::Host& host, Tables& tables, ScriptLog& lines, OtherCalls others, ServiceCalls* calls) {
  return std::make_unique<TableScripts>(host, tables, lines, std::move(others), calls);
}

}  // namespace mandate::tables
