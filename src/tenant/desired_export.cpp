#include "base/url.h"
#include "tenant/desired.h"

namespace mandate::tenant {

namespace {

JsonObject& group(JsonObject& in, std::string_view name) {
  Json& member = in[name];
  if (!member.is_object()) member = JsonObject();
  return member.get_object();
}

}  // namespace

Result<Json> export_tenant(const std::string& name, const Objects& objects, const Vault* secrets) {
  JsonObject settings, connections, apis, clients, services;
  JsonArray client_grants, delegation_grants;
  for (const auto& [key, object] : objects) {
    JsonObject body = object.body;
    if (secrets && key.kind != kind::kSigningKey) CHECK_OK(reveal_secrets(key, object, *secrets, body));
    if (key.kind == kind::kSettings) settings = std::move(body);
    if (key.kind == kind::kConnection) connections[key.name] = std::move(body);
    if (key.kind == kind::kApi) apis[key.name] = std::move(body);
    if (key.kind == kind::kClient) clients[key.name] = std::move(body);
    if (key.kind == kind::kClientGrant) client_grants.push_back(std::move(body));
    if (key.kind == kind::kDelegationGrant) delegation_grants.push_back(std::move(body));
    if (key.kind == kind::kService) services[key.name] = std::move(body);
  }
  // Each table under its service, each script under its table; found by the name in lower case, shown as spelt.
  std::map<std::string, std::string> spelt;
  for (auto& [service, body] : services) group(body.get_object(), "tables");
  for (const auto& [key, object] : objects) {
    if (key.kind != kind::kTable) continue;
    const std::vector<std::string> parts = split(key.name, '/');
    if (parts.size() != 2 || !services.contains(parts[0])) continue;
    JsonObject body = object.body;
    spelt[key.name] = text_member(body, "name").value_or(parts[1]);
    body.erase("name");
    body["scripts"] = JsonObject();
    group(services[parts[0]].get_object(), "tables")[spelt[key.name]] = std::move(body);
  }
  for (const auto& [key, object] : objects) {
    if (key.kind != kind::kScript) continue;
    const std::vector<std::string> parts = split(key.name, '/');
    if (parts.size() != 3 || !spelt.contains(parts[0] + "/" + parts[1])) continue;
    JsonObject& table = group(group(services[parts[0]].get_object(), "tables"), spelt[parts[0] + "/" + parts[1]]);
    group(table, "scripts")[parts[2]] = object.body.at("source");
  }
  JsonObject out;
  out["tenant"] = name;
  out["settings"] = std::move(settings);
  out["connections"] = std::move(connections);
  out["apis"] = std::move(apis);
  out["clients"] = std::move(clients);
  out["client_grants"] = std::move(client_grants);
  out["delegation_grants"] = std::move(delegation_grants);
  out["services"] = std::move(services);
  return Json(std::move(out));
}

}  // namespace mandate::tenant
