#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {

namespace {

void check_scopes(ObjectReader& in, std::string_view name, const std::vector<std::string>& scopes) {
  check_each(in, name, scopes, [](const std::string& scope) -> std::string {
    // RFC 6749 §3.3: NQCHAR.
    for (const char c : scope)
      if (c <= 0x20 || c >= 0x7F || c == '"' || c == '\\') return "is no scope: blanks, quotes and backslashes are not allowed";
    return scope.empty() || scope.size() > 200 ? "must have 1 to 200 characters" : "";
  });
}

void read_client_id(ObjectReader& in, std::string_view name, std::string& out, bool star) {
  in.text(name, out, 64);
  if (star && out == "*") return;
  if (const std::string text = client_id_problem(out); !text.empty()) in.problem(name, text);
}

}  // namespace

Api read_api(const std::string& identifier, const JsonObject& body, const std::string& path, Problems& problems) {
  Api api;
  api.identifier = identifier;
  if (const std::string text = audience_problem(identifier); !text.empty()) problems.add(path, "the identifier " + text);
  ObjectReader in(body, path, problems);
  in.text("name", api.name, 256);
  in.one_of("signing_alg", api.signing_alg, {"ES256", "RS256", "PS256", "HS256", "opaque"});
  in.texts("scopes", api.scopes);
  in.flag("allow_offline_access", api.allow_offline_access);
  in.integer("token_lifetime", api.token_lifetime, 1, 30 * 86'400);
  in.integer("token_lifetime_for_web", api.token_lifetime_for_web, 1, 30 * 86'400);
  in.finish();
  check_scopes(in, "scopes", api.scopes);
  return api;
}

JsonObject write_api(const Api& api) {
  const Api usual;
  JsonObject out;
  put(out, "name", api.name);
  put(out, "signing_alg", api.signing_alg, usual.signing_alg);
  put(out, "scopes", api.scopes);
  put(out, "allow_offline_access", api.allow_offline_access, false);
  put(out, "token_lifetime", api.token_lifetime, usual.token_lifetime);
  put(out, "token_lifetime_for_web", api.token_lifetime_for_web, usual.token_lifetime_for_web);
  return out;
}

ClientGrant read_client_grant(const JsonObject& body, const std::string& path, Problems& problems) {
  ClientGrant grant;
  ObjectReader in(body, path, problems);
  read_client_id(in, "client_id", grant.client_id, false);
  in.text("audience", grant.audience, 255);
  if (const std::string text = audience_problem(grant.audience); !text.empty()) in.problem("audience", text);
  in.texts("scope", grant.scope);
  in.finish();
  check_scopes(in, "scope", grant.scope);
  return grant;
}

JsonObject write_client_grant(const ClientGrant& grant) {
  JsonObject out;
  put(out, "client_id", grant.client_id);
  put(out, "audience", grant.audience);
  put(out, "scope", grant.scope);
  return out;
}

DelegationGrant read_delegation_grant(const JsonObject& body, const std::string& path, Problems& problems) {
  DelegationGrant grant;
  ObjectReader in(body, path, problems);
  read_client_id(in, "source", grant.source, true);
  read_client_id(in, "target", grant.target, false);
  in.texts("api_types", grant.api_types);
  in.texts("scopes", grant.scopes);
  in.texts("subject_kinds", grant.subject_kinds);
  in.integer("max_lifetime", grant.max_lifetime, 0, 30 * 86'400);
  in.one_of("lifetime_rule", grant.lifetime_rule, {"target", "min"});
  in.finish();
  check_scopes(in, "scopes", grant.scopes);
  check_each(in, "api_types", grant.api_types, [](const std::string& type) {
    return type == "app" || type == "auth0" || type == "wams" ? "" : "is no api_type we know: app, wams";
  });
  check_each(in, "subject_kinds", grant.subject_kinds, [](const std::string& kind) {
    return kind == "id_token" || kind == "refresh_token" || kind == "access_token"
               ? "" : "is none of: id_token, refresh_token, access_token";
  });
  return grant;
}

JsonObject write_delegation_grant(const DelegationGrant& grant) {
  JsonObject out;
  put(out, "source", grant.source);
  put(out, "target", grant.target);
  put(out, "api_types", grant.api_types);
  put(out, "scopes", grant.scopes);
  put(out, "subject_kinds", grant.subject_kinds);
  put(out, "max_lifetime", grant.max_lifetime, 0);
  put(out, "lifetime_rule", grant.lifetime_rule, "target");
  return out;
}

}  // namespace mandate::tenant
