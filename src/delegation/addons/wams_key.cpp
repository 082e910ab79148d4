#include "delegation/addons/wams_key.h"

#include "identity/bearer.h"

namespace mandate::delegation {
namespace {

constexpr std::string_view kZumoUrn = "urn:microsoft:windows-azure:zumo";

Result<Secret> sealed_setting(const tenant::Client& target, std::string_view field, const tenant::Vault& vault) {
  const auto text = text_member(target.addons.at("wams"), field);
  if (!text || text->empty()) return Secret();
  return vault.unseal(*text, tenant::sealed::addon(target.client_id, "wams", field));
}

const tenant::Service* service_of(const tenant::Tenant& tenant, const JsonObject& settings) {
  const auto found = tenant.services.find(text_member(settings, "service").value_or(tenant::kDefaultService));
  return found == tenant.services.end() ? nullptr : &found->second;
}

}  // namespace

Result<Secret> wams_master_key(const tenant::Tenant& tenant, const tenant::Client& target, const tenant::Vault& vault) {
  TRY(Secret own, sealed_setting(target, "masterkey", vault));
  if (!own.empty()) return own;
  const tenant::Service* service = service_of(tenant, target.addons.at("wams"));
  if (!service) return Error(Code::invalid_request, "The add-on wams lacks the setting masterkey.", "no such service");
  if (service->master_key_sealed.empty())
    return Error(Code::invalid_request, "The add-on wams lacks the setting masterkey.", "the service has no master key");
  return vault.unseal(service->master_key_sealed, tenant::sealed::service(service->name, "master_key"));
}

std::vector<jose::Key> wams_verifying_keys(const tenant::Tenant& tenant, const tenant::Client& target, const tenant::Vault& vault) {
  std::vector<jose::Key> keys;
  if (const auto current = wams_master_key(tenant, target, vault); current.ok()) keys.push_back(identity::zumo_key(current->reveal()));
  auto previous = sealed_setting(target, "previous_masterkey", vault);
  if (previous.ok() && previous->empty()) {
    const tenant::Service* service = service_of(tenant, target.addons.at("wams"));
    if (service && !service->previous_master_key_sealed.empty() && !target.addons.at("wams").contains("masterkey"))
      previous = vault.unseal(service->previous_master_key_sealed, tenant::sealed::service(service->name, "previous_master_key"));
  }
  if (previous.ok() && !previous->empty()) keys.push_back(identity::zumo_key(previous->reveal()));
  return keys;
}

JsonObject wams_claims(const JsonObject& settings, const WamsToken& token) {
  const std::string uid = identity::service_user_id(text_member(settings, "uid_format").value_or("{user_id}"), token.user_id);
  JsonObject claims;
  if (text_member(settings, "claims") == "auth0") {
    claims["iss"] = token.issuer;
    claims["sub"] = token.user_id;
    claims["aud"] = token.target;
    claims["uid"] = uid;
  } else {
    claims["iss"] = kZumoUrn;
    claims["aud"] = kZumoUrn;
    claims["ver"] = "2";
    claims["uid"] = uid;
    claims["sub"] = token.user_id;
  }
  claims["iat"] = token.iat;
  claims["exp"] = token.exp;
  return claims;
}

}  // namespace mandate::delegation
