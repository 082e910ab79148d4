#include <algorithm>

#include "oauth/acr.h"
#include "oauth/doors.h"
#include "tenant/cors.h"

namespace mandate::oauth {
namespace {

/// Public documents: anybody's page may read them, caches may keep them a while (identity-wire 0.3 #18, 0.4).
http::Response published(http::Response response) {
  response.headers.set("Cache-Control", "public, max-age=300");
  response.headers.set("Access-Control-Allow-Origin", "*");
  return response;
}

JsonArray texts(std::initializer_list<std::string_view> values) {
  JsonArray out;
  for (std::string_view value : values) out.emplace_back(value);
  return out;
}

JsonArray texts(const std::vector<std::string>& values) {
  JsonArray out;
  for (const std::string& value : values) out.emplace_back(value);
  return out;
}

JsonObject document(const std::string& issuer, std::vector<std::string> grant_types) {
  grant_types.emplace_back(tenant::grant::kImplicit);
  std::ranges::sort(grant_types);
  JsonObject out;
  out["issuer"] = issuer;
  out["authorization_endpoint"] = issuer + "authorize";
  out["token_endpoint"] = issuer + "oauth/token";
  out["userinfo_endpoint"] = issuer + "userinfo";
  out["jwks_uri"] = issuer + ".well-known/jwks.json";
  out["revocation_endpoint"] = issuer + "oauth/revoke";
  out["introspection_endpoint"] = issuer + "oauth/introspect";
  out["end_session_endpoint"] = issuer + "oidc/logout";
  out["scopes_supported"] =
      texts({"openid", "profile", "offline_access", "name", "given_name", "family_name", "nickname", "email",
             "email_verified", "picture", "created_at", "identities", "phone", "address"});
  out["response_types_supported"] = texts(
      {"code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token"});
  out["response_modes_supported"] = texts({"query", "fragment", "form_post", "web_message"});
  out["code_challenge_methods_supported"] = texts({"S256", "plain"});
  out["grant_types_supported"] = texts(grant_types);
  out["subject_types_supported"] = texts({"public"});
  out["id_token_signing_alg_values_supported"] = texts({"HS256", "RS256", "PS256", "ES256"});
  const JsonArray methods = texts({"client_secret_basic", "client_secret_post", "none"});
  out["token_endpoint_auth_methods_supported"] = methods;
  out["revocation_endpoint_auth_methods_supported"] = methods;
  out["introspection_endpoint_auth_methods_supported"] = texts({"client_secret_basic", "client_secret_post"});
  out["claims_supported"] =
      texts({"acr", "amr", "aud", "auth_time", "created_at", "email", "email_verified", "exp", "family_name", "given_name",
             "iat", "identities", "iss", "name", "nickname", "nonce", "picture", "sid", "sub"});
  out["acr_values_supported"] = texts({acr::kOneFactor});
  out["request_parameter_supported"] = false;
  out["request_uri_parameter_supported"] = false;
  out["claims_parameter_supported"] = false;
  out["authorization_response_iss_parameter_supported"] = true;
  return out;
}

bool is_rsa(jose::Alg alg) { return alg >= jose::Alg::RS256 && alg <= jose::Alg::PS512; }

/// The certificate that old SDKs verify RS256 with.
Result<std::string> rsa_certificate(const tenant::Tenant& tenant) {
  const tenant::SigningKey* key = tenant.signing_key(jose::Alg::RS256);
  if (!key || key->certificate_der.empty())
    return Error(Code::not_found, "The tenant has no RSA certificate.", "certificate");
  return key->certificate_der;
}

http::Response file(std::string type, std::string name, std::string body) {
  http::Response response(200);
  response.headers.set("Content-Type", type);
  if (!name.empty()) response.headers.set("Content-Disposition", "attachment; filename=\"" + name + "\"");
  response.body = std::move(body);
  return published(std::move(response));
}

}  // namespace

Task<http::Response> discovery(const Deps& deps, http::Request& request,
                               std::vector<std::string> grant_types) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  const std::string issuer = tenant::issuer_of(*here, request);
  co_return published(http::Response::json(200, Json(document(issuer, std::move(grant_types)))));
}

Task<http::Response> keys(const Deps& deps, http::Request& request) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  std::vector<jose::Key> public_keys;
  std::vector<std::string> certificates;
  for (const bool rsa : {true, false})
    for (const tenant::SigningKey& key : here->signing_keys) {
      if (is_rsa(key.key.alg()) != rsa) continue;
      public_keys.push_back(key.key);
      certificates.push_back(key.certificate_der);
    }
  co_return published(http::Response::json(200, Json(jose::jwks(public_keys, certificates))));
}

Task<http::Response> certificate_pem_download(const Deps& deps, http::Request& request) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  CO_TRY(const std::string der, rsa_certificate(*here));
  co_return file("application/x-pem-file", here->name + ".pem", jose::certificate_pem(der));
}

Task<http::Response> certificate_der(const Deps& deps, http::Request& request) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  CO_TRY(std::string der, rsa_certificate(*here));
  co_return file("application/x-x509-ca-cert", here->name + ".cer", std::move(der));
}

Task<http::Response> certificate_pem_text(const Deps& deps, http::Request& request) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  CO_TRY(const std::string der, rsa_certificate(*here));
  co_return file("text/plain; charset=utf-8", {}, jose::certificate_pem(der));
}

}  // namespace mandate::oauth
