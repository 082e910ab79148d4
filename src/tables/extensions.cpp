#include "tables/extensions.h"

#include "tables/script_user.h"

namespace mandate::tables {
namespace {

constexpr std::string_view kPush = "extensions/push.js";

std::vector<std::string> tags_of(const JsonObject& registration) {
  std::vector<std::string> out;
  if (const Json* tags = registration.if_contains("tags"); tags && tags->is_array())
    for (const Json& each : tags->get_array())
      if (each.is_string()) out.emplace_back(view(each.get_string()));
  return out;
}

std::string context_of(std::string_view file, const JsonObject& registration, const identity::Principal& who) {
  std::string out = R"({"file":)";
  append_json_string(out, file);
  out += R"(,"registration":)";
  append_json(out, registration);
  out += R"(,"user":)";
  append_script_user(out, who);
  return out + '}';
}

}  // namespace

Extensions::Extensions(scripts::Host& host, Tables& tables, ScriptLog& lines, ServiceCalls& calls, OtherCalls others)
    : host_(host), tables_(tables), lines_(lines), calls_(calls), others_(std::move(others)) {}

Task<std::vector<std::string>> Extensions::on_register(tenant::Here here, const tenant::Service* service, identity::Principal who, JsonObject registration) {
  scripts::Call call;
  if (!calls_.prepare(call, here, *service)) {
    Task<scripts::BundlePtr> loading = calls_.load(here, service);
    CO_TRY(call.bundle, co_await loading);
  }
  const std::string* file = call.bundle ? spelling_of(*call.bundle, kPush) : nullptr;
  if (!file) co_return tags_of(registration);
  call.kind = "push";
  call.name = "/" + *file;
  call.context = context_of(*file, registration, who);
  const std::string source = call.name;
  Act act;
  act.context.here = here;
  act.context.service = service;
  act.context.principal = std::move(who);
  act.context.dialect = Dialect::v1;
  const auto binding = std::make_shared<TableBinding>(std::move(act), source, tables_, lines_, &others_);
  Task<Json> running = host_.run(std::move(call), binding);
  Result<Json> outcome = co_await running;
  if (!outcome.ok()) {
    binding->console("error", outcome.error().detail.empty() ? outcome.error().hint : outcome.error().detail);
    co_return std::move(outcome).error();
  }
  const JsonObject* given = outcome->if_object();
  if (const auto refused = given ? text_member(*given, "refused") : std::nullopt) co_return Error(Code::bad_request, std::string(*refused));
  const Json* changed = given ? given->if_contains("registration") : nullptr;
  co_return tags_of(changed && changed->is_object() ? changed->get_object() : registration);
}

}  // namespace mandate::tables
