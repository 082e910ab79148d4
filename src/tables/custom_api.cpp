#include "tables/custom_api.h"

#include "base/base64.h"
#include "base/url.h"
#include "tables/permissions.h"
#include "tables/script_user.h"

namespace mandate::tables {
namespace {

constexpr std::size_t kMostRemembered = 10'000;
constexpr int kMostFailures = 3;

bool is_admin(const ApiCall& call) { return call.keys.master || call.principal.level == identity::Level::admin; }

JsonObject proved_by(const ApiCall& call) {
  return {{"application", call.keys.application}, {"user", !call.principal.user_id.empty()}, {"admin", is_admin(call)}};
}

JsonObject permissions_of(const tenant::CustomApi& api) {
  JsonObject out;
  for (const auto& [route, verbs] : api.permissions) {
    JsonObject levels;
    for (const auto& [verb, level] : verbs) levels[verb] = level;
    out[route] = std::move(levels);
  }
  return out;
}

Json user_of(const identity::Principal& who) {
  std::string text;
  append_script_user(text, who);
  Result<Json> json = parse_json(text);
  return json.ok() ? std::move(*json) : Json(JsonObject());
}

/// A binding's act: the service's tables, for an administrator, in the words of the first scripts.
Act act_of(const ApiCall& call) {
  Act out;
  out.context.here = call.here;
  out.context.service = call.service;
  out.context.principal = call.principal;
  out.context.dialect = call.dialect;
  out.context.deadline = call.deadline;
  return out;
}

Result<ApiAnswer> answer_of(const Json& outcome) {
  const JsonObject* given = outcome.if_object();
  const auto status = given ? integer_member(*given, "status") : std::nullopt;
  if (!status || *status < 200 || *status > 599) return Error(Code::server_error, "", "the API ended with something unknown");
  ApiAnswer out;
  out.status = static_cast<int>(*status);
  out.none = bool_member(*given, "none").value_or(false);
  if (const Json* allow = given->if_contains("allow"); allow && allow->is_array())
    for (const Json& each : allow->get_array())
      if (each.is_string()) out.allow.emplace_back(view(each.get_string()));
  if (const Json* headers = given->if_contains("headers"); headers && headers->is_array())
    for (const Json& each : headers->get_array())
      if (const JsonArray* pair = each.if_array(); pair && pair->size() == 2 && (*pair)[0].is_string() && (*pair)[1].is_string())
        out.headers.emplace_back(view((*pair)[0].get_string()), view((*pair)[1].get_string()));
  if (const auto bytes = text_member(*given, "base64")) out.body = base64_any_decode(*bytes).value_or("");
  else if (const auto text = text_member(*given, "body")) out.body = std::string(*text);
  return out;
}

}  // namespace

CustomApis::CustomApis(scripts::Host& host, Tables& tables, ScriptLog& lines, ServiceCalls& calls, OtherCalls others)
    : host_(host), tables_(tables), lines_(lines), calls_(calls), others_(std::move(others)) {}

const tenant::CustomApi* CustomApis::find(const tenant::Service& service, std::string_view name) {
  const auto found = service.apis.find(ascii_lower(name));
  return found == service.apis.end() ? nullptr : &found->second;
}

bool CustomApis::may_try(const ApiCall& call) {
  if (is_admin(call)) return true;
  for (const auto& [route, verbs] : call.api->permissions)
    for (const auto& [verb, level] : verbs)
      if ((verb == "*" || verb == call.method) && allows(permission_of(level), call.keys, call.principal)) return true;
  return false;
}

Task<Json> CustomApis::ask(const ApiCall& call, JsonObject context) {
  scripts::Call asked;
  asked.kind = "api";
  asked.name = "/" + call.api->file;
  context["file"] = call.api->file;
  if (const std::string& app = call.service->code.app; !app.empty()) {
    asked.name = "/api/" + call.api->name;  // what the app does for its tables goes by the name of its file
    context["app"] = app;
    context["name"] = call.api->name;
  }
  context["method"] = call.method;
  asked.context = to_json(Json(std::move(context)));
  asked.deadline = call.deadline;
  if (!calls_.prepare(asked, call.here, *call.service)) {
    Task<scripts::BundlePtr> loading = calls_.load(call.here, call.service);
    CO_TRY(asked.bundle, co_await loading);
  }
  const std::string source = asked.name;
  const auto binding = std::make_shared<TableBinding>(act_of(call), source, tables_, lines_, &others_);
  Task<Json> running = host_.run(std::move(asked), binding);
  Result<Json> outcome = co_await running;
  if (!outcome.ok()) {
    const Error& error = outcome.error();
    lines_.add(*call.here.store, {0, call.service->name, source, "error", error.detail.empty() ? error.hint : error.detail});
  }
  co_return outcome;
}

// Remembered, so that callers who may not call cannot have it loaded again and again: what the file does for good, and for chance
// (no time, no process) that it was tried.
Task<bool> CustomApis::broken(const ApiCall& call) {
  const std::string key = call.here->name + "/" + call.service->name + "/" + call.service->code.hash + "/" + std::to_string(call.here->revision) + "/" + call.api->file;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = probed_.find(key); found != probed_.end()) {
      if (found->second.broken) co_return *found->second.broken;
      if (found->second.failures >= kMostFailures) co_return false;
    }
  }
  JsonObject probe{{"probe", true}, {"path", "/"}};
  Task<Json> asking = ask(call, std::move(probe));
  const Result<Json> outcome = co_await asking;
  const bool is = !outcome.ok() && outcome.error().code == Code::invalid_request;
  const std::lock_guard lock(mutex_);
  if (probed_.size() >= kMostRemembered) probed_.clear();
  Probed& known = probed_[key];
  if (is || outcome.ok()) known.broken = is;
  else ++known.failures;
  co_return is;
}

Task<ApiAnswer> CustomApis::run(ApiCall call) {
  if (!may_try(call)) {
    Task<bool> looking = broken(call);
    CO_TRY(const bool is, co_await looking);
    if (is) co_return Error(Code::server_error, "", "the file of the API is broken");
    co_return Error(Code::unauthorized, "Unauthorized");
  }
  JsonObject context = std::move(call.asked);
  context["user"] = user_of(call.principal);
  context["permissions"] = permissions_of(*call.api);
  context["proved"] = proved_by(call);
  Task<Json> asking = ask(call, std::move(context));
  CO_TRY(const Json outcome, co_await asking);
  CO_TRY(ApiAnswer answer, answer_of(outcome));
  if (answer.none && answer.status == 401) co_return Error(Code::unauthorized, "Unauthorized");
  co_return answer;
}

}  // namespace mandate::tables
