#include "tables/wire/client_principal.h"

#include <algorithm>

#include "base/base64.h"
#include "base/url.h"
#include "identity/bearer.h"
#include "identity/credentials.h"

namespace mandate::tables::wire {
namespace {

constexpr std::string_view kNameId = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";
constexpr std::string_view kName = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
constexpr std::string_view kRole = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

/// Marks by which we watch over tokens, and the provider's secrets: no business of the code behind.
bool is_kept_back(std::string_view claim) {
  return claim == identity::kCredentialsClaim || claim == identity::kEpochClaim || claim == identity::kSubjectClaim || claim == identity::kConnectionClaim || claim == "jti" ||
         claim == "sid";
}

void add_claim(JsonArray& out, std::string_view type, const Json& value) {
  if (value.is_array()) {
    for (const Json& each : value.get_array())
      if (!each.is_array()) add_claim(out, type, each);
  } else if (value.is_string()) {
    out.push_back(JsonObject{{"typ", type}, {"val", value.get_string()}});
  } else if (!value.is_null()) {
    out.push_back(JsonObject{{"typ", type}, {"val", to_json(value)}});
  }
}

std::string provider_of(const tenant::Service& service, const identity::Principal& principal) {
  if (const Json* connection = principal.claim(identity::kConnectionClaim); connection && connection->is_string()) {
    for (const auto& [name, wanted] : service.login.providers)
      if (wanted == view(connection->get_string())) return name;
    return ascii_lower(view(connection->get_string()));
  }
  return ascii_lower(principal.provider);
}

void add_provider_tokens(JsonObject& headers, const JsonObject& identities) {
  for (const auto& [provider, given] : identities) {
    if (!given.is_object()) continue;
    if (const auto token = text_member(given.get_object(), "accessToken"))
      headers["x-ms-token-" + ascii_lower(provider) + "-access-token"] = std::string(*token);
  }
}

}  // namespace

bool is_of_principal(std::string_view lower_name) { return lower_name.starts_with("x-ms-client-principal") || lower_name.starts_with("x-ms-token-"); }

void add_principal(JsonObject& headers, const tenant::Service& service, const identity::Principal& principal) {
  if (principal.user_id.empty()) return;
  const std::string provider = provider_of(service, principal);
  std::string name = principal.user_id;
  JsonArray claims{JsonObject{{"typ", kNameId}, {"val", principal.user_id}}};
  if (principal.claims) {
    if (const auto given = text_member(*principal.claims, "name")) {
      name = *given;
      claims.push_back(JsonObject{{"typ", kName}, {"val", name}});
    }
    for (const auto& [type, value] : *principal.claims)
      if (!is_kept_back(type)) add_claim(claims, type, value);
  }
  const JsonObject told{{"auth_typ", provider}, {"claims", std::move(claims)}, {"name_typ", kName}, {"role_typ", kRole}};
  headers["x-ms-client-principal"] = base64(to_json(told));
  headers["x-ms-client-principal-id"] = principal.user_id;
  headers["x-ms-client-principal-name"] = name;
  headers["x-ms-client-principal-idp"] = provider;
  if (principal.identities) add_provider_tokens(headers, *principal.identities);
}

}  // namespace mandate::tables::wire
