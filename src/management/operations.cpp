// What keeps a server healthy: status, check, keys, and why a delegation is refused.
#include "management/desk.h"
#include "tenant/audit.h"

namespace mandate::management {

Task<http::Response> get_explain(Deps& deps, http::Request& request) {
  if (!deps.explain_delegation) co_return Error(Code::not_found, "Delegation is not part of this server.");
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(tenant::Here here, tenant_of(deps, query.get("tenant")));
  std::string client(query.get("client")), target(query.get("target")), user(query.get("user"));
  if (client.empty() || target.empty()) co_return Error(Code::invalid_request, "client and target are needed, user too for the whole answer");
  Task<Json> explaining = deps.explain_delegation(std::move(here), std::move(client), std::move(target), std::move(user));
  Result<Json> explained = co_await explaining;
  if (!explained.ok()) co_return std::move(explained).error();
  co_return http::Response::json(200, *explained);
}

Task<http::Response> post_rotate(Deps& deps, http::Request& request) {
  CO_TRY(const http::Params params, http::Params::of(request));
  CO_TRY(const tenant::Here here, tenant_of(deps, params.get("tenant")));
  std::optional<jose::Alg> alg;
  if (params.has("alg")) {
    alg = jose::alg_of(params.get("alg"));
    if (alg != jose::Alg::RS256 && alg != jose::Alg::PS256 && alg != jose::Alg::ES256)
      co_return Error(Code::invalid_request, "alg must be RS256, PS256 or ES256");
  }
  const bool revoke = params.get("revoke") == "true";
  tenant::Event event;
  event.type = "config.changed";
  event.reason = revoke ? "signing keys revoked" : "signing keys rotated";
  event.details["keys"] = alg ? jose::name(*alg) : "all";
  std::vector<store::Mutation> also;
  also.push_back(tenant::audit_row(event, request, deps.clock.now_ms()));
  Task<void> rotating = deps.tenants.rotate_keys(here->name, alg, revoke, std::move(also));
  CO_CHECK(co_await rotating);
  CO_TRY(const tenant::Here now, deps.tenants.by_name(here->name));
  JsonArray keys;
  for (const tenant::SigningKey& key : now->signing_keys)
    keys.push_back(JsonObject{{"kid", key.key.kid()}, {"alg", jose::name(key.key.alg())}, {"state", key.state}});
  co_return http::Response::json(200, JsonObject{{"tenant", now->name}, {"keys", std::move(keys)}});
}

Task<http::Response> get_check(Deps& deps, http::Request&) {
  JsonArray tenants;
  Task<std::string> listing = deps.tenants.system().check();
  const Result<std::string> list_damage = co_await listing;
  const std::string list_text = list_damage.ok() ? *list_damage : "cannot be read: " + list_damage.error().detail;
  bool sound = list_text.empty();
  for (const std::string& name : deps.tenants.names()) {
    CO_TRY(const tenant::Here here, deps.tenants.by_name(name));
    Task<std::string> checking = here.store->check();
    const Result<std::string> damage = co_await checking;
    Task<std::string> verifying = tenant::verify_audit(*here.store);
    const Result<std::string> broken = co_await verifying;
    const std::string store_text = damage.ok() ? *damage : "cannot be read: " + damage.error().detail;
    const std::string audit_text = broken.ok() ? *broken : "cannot be read: " + broken.error().detail;
    sound = sound && store_text.empty() && audit_text.empty();
    tenants.push_back(JsonObject{{"tenant", name}, {"store", store_text}, {"audit", audit_text}});
  }
  co_return http::Response::json(200, JsonObject{{"sound", sound}, {"system", list_text}, {"tenants", std::move(tenants)}});
}

Task<http::Response> get_status(Deps& deps, http::Request&) {
  JsonArray tenants;
  for (const std::string& name : deps.tenants.names()) {
    CO_TRY(const tenant::Here here, deps.tenants.by_name(name));
    JsonArray hosts;
    for (const std::string& host : here->hosts) hosts.emplace_back(host);
    std::size_t tables = 0;
    for (const auto& [service, settings] : here->services) tables += settings.tables.size();
    tenants.push_back(JsonObject{{"tenant", name}, {"enabled", here->enabled}, {"hosts", std::move(hosts)}, {"revision", here->revision},
                                 {"clients", here->clients.size()}, {"connections", here->connections.size()}, {"tables", tables}});
  }
  co_return http::Response::json(200, JsonObject{{"version", deps.version}, {"time", iso8601(deps.clock.now_ms())}, {"tenants", std::move(tenants)}});
}

}  // namespace mandate::management
