#include "base/clock.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {

namespace {

constexpr std::int64_t kYear = 366 * 86'400;

struct GrantWord {
  std::string_view word, grant;
};
constexpr GrantWord kGrants[] = {
    {"authorization_code", grant::kAuthorizationCode},
    {"implicit", grant::kImplicit},
    {"refresh_token", grant::kRefreshToken},
    {"client_credentials", grant::kClientCredentials},
    {"password", grant::kPassword},
    {"password_realm", grant::kPasswordRealm},
    {"token_exchange", grant::kTokenExchange},
    {"legacy_ro", grant::kLegacyRo},
    {"legacy_delegation_id_token", grant::kLegacyDelegationIdToken},
    {"legacy_delegation_refresh_token", grant::kLegacyDelegationRefreshToken},
};

/// Members of identity-wire 5.3 that say nothing to this server; kept so that an export gives them back.
constexpr std::string_view kKept[] = {"description", "logo_uri", "client_metadata", "initiate_login_uri", "mobile", "sso",
                                      "custom_login_page_on", "client_aliases", "form_template"};

void read_grants(ObjectReader& in, Client& client) {
  std::vector<std::string> words;
  in.texts("grant_types", words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string grant = grant_of_word(words[i]);
    if (grant.empty())
      in.problems().add(in.at("grant_types") + "[" + std::to_string(i) + "]", "'" + words[i] + "' is no grant type we know");
    else
      client.grant_types.insert(std::move(grant));
  }
}

void read_jwt(ObjectReader& parent, Client& client) {
  const JsonObject* group = parent.object("jwt_configuration");
  if (!group) return;
  ObjectReader in(*group, parent.at("jwt_configuration"), parent.problems());
  std::string alg(jose::name(client.alg));
  in.one_of("alg", alg, {"ES256", "RS256", "PS256", "HS256"});
  client.alg = jose::alg_of(alg).value_or(client.alg);
  in.integer("lifetime_in_seconds", client.lifetime_in_seconds, 1, 30 * 86'400);
  in.flag("secret_encoded", client.secret_encoded);
  in.finish();
}

void read_refresh(ObjectReader& parent, Client& client) {
  const JsonObject* group = parent.object("refresh_token");
  if (!group) return;
  ObjectReader in(*group, parent.at("refresh_token"), parent.problems());
  std::string rotation = client.refresh_rotating ? "rotating" : "non-rotating";
  std::string expiration = client.refresh_infinite ? "non-expiring" : "expiring";
  in.one_of("rotation_type", rotation, {"rotating", "non-rotating"});
  in.one_of("expiration_type", expiration, {"expiring", "non-expiring"});
  in.integer("idle_token_lifetime", client.refresh_idle_seconds, 60, kYear);
  in.integer("token_lifetime", client.refresh_absolute_seconds, 60, kYear);
  in.integer("leeway", client.refresh_leeway_seconds, 0, 60);
  client.refresh_rotating = rotation == "rotating";
  client.refresh_infinite = expiration == "non-expiring";
  if (client.refresh_infinite && client.refresh_rotating)
    in.problem("expiration_type", "non-expiring tokens cannot rotate: set rotation_type to non-rotating");
  if (client.refresh_idle_seconds > client.refresh_absolute_seconds)
    in.problem("idle_token_lifetime", "is longer than token_lifetime");
  in.finish();
}

/// identity-wire 2.6, 2.8. The add-on's secrets (masterkey, previous_masterkey) are taken out before this is read.
JsonObject read_wams(const JsonObject& body, const std::string& path, Problems& problems) {
  ObjectReader in(body, path, problems);
  std::string service, claims = "zumo", uid_format = "{user_id}";
  std::int64_t lifetime = 0;
  bool identities = false;
  in.text("service", service);
  in.one_of("claims", claims, {"zumo", "auth0"});
  in.one_of("uid_format", uid_format, {"{user_id}", "{provider}:{id}"});
  in.integer("lifetime_in_seconds", lifetime, 1, 30 * 86'400);
  in.flag("include_identities", identities);
  in.finish();
  if (!service.empty())
    if (const std::string text = service_name_problem(service); !text.empty()) in.problem("service", text);
  JsonObject out;
  put(out, "service", service);
  put(out, "claims", claims, "zumo");
  put(out, "uid_format", uid_format, "{user_id}");
  put(out, "lifetime_in_seconds", lifetime, 0);
  put(out, "include_identities", identities, false);
  return out;
}

void read_addons(ObjectReader& parent, Client& client) {
  const JsonObject* group = parent.object("addons");
  if (!group) return;
  ObjectReader in(*group, parent.at("addons"), parent.problems());
  if (const JsonObject* wams = in.object("wams")) client.addons["wams"] = read_wams(*wams, in.at("wams"), in.problems());
  in.finish();
}

void read_allowed_clients(ObjectReader& in, Client& client) {
  const Json* member = in.any("allowed_clients");
  if (!member) return;
  if (member->is_string()) {
    in.one_of("allowed_clients", client.allowed_clients_mode, {"nobody", "all"});
    return;
  }
  client.allowed_clients_mode = "listed";
  in.texts("allowed_clients", client.allowed_clients);
  check_each(in, "allowed_clients", client.allowed_clients, client_id_problem);
}

void read_legacy(ObjectReader& parent, Client& client) {
  const JsonObject* group = parent.object("legacy");
  if (!group) return;
  ObjectReader in(*group, parent.at("legacy"), parent.problems());
  in.flag("chained_delegation", client.chained_delegation);
  in.flag("query_tokens", client.query_tokens);
  in.flag("jsonp", client.jsonp);
  in.finish();
}

void read_overlap(ObjectReader& in, Client& client) {
  std::string until;
  in.text("previous_client_secret_expires_at", until, 64);
  if (until.empty()) return;
  client.previous_secret_expires_at = parse_iso8601(until).value_or(0);
  if (client.previous_secret_expires_at <= 0)
    in.problem("previous_client_secret_expires_at", "must be a time such as \"2030-01-31T12:00:00Z\"");
}

void check_whole(ObjectReader& in, const Client& client) {
  const auto wildcard_ok = [&](const std::string& url) { return redirect_problem(url, !client.oidc_conformant); };
  check_each(in, "callbacks", client.callbacks, wildcard_ok);
  check_each(in, "allowed_logout_urls", client.allowed_logout_urls, wildcard_ok);
  check_each(in, "allowed_origins", client.allowed_origins, origin_problem);
  check_each(in, "web_origins", client.web_origins, origin_problem);
  if (!client.confidential() && client.allows(grant::kClientCredentials))
    in.problem("grant_types", "client_credentials needs a client with a secret: set token_endpoint_auth_method");
  if ((client.app_type == "spa" || client.app_type == "native") && client.confidential())
    in.problem("token_endpoint_auth_method", "a " + client.app_type + " app cannot keep a secret: use none");
}

}  // namespace

std::string grant_of_word(std::string_view word) {
  for (const GrantWord& g : kGrants)
    if (word == g.word || word == g.grant) return std::string(g.grant);
  return {};
}

std::string word_of_grant(std::string_view grant) {
  for (const GrantWord& g : kGrants)
    if (grant == g.grant) return std::string(g.word);
  return std::string(grant);
}

Client read_client(const std::string& client_id, const JsonObject& body, const std::string& path, Problems& problems) {
  Client client;
  client.client_id = client_id;
  if (const std::string text = client_id_problem(client_id); !text.empty()) problems.add(path, "the client_id " + text);
  ObjectReader in(body, path, problems);
  in.text("name", client.name, 256);
  in.one_of("app_type", client.app_type, {"native", "spa", "regular_web", "non_interactive"});
  in.flag("enabled", client.enabled);
  in.flag("is_first_party", client.is_first_party);
  in.flag("oidc_conformant", client.oidc_conformant);
  in.one_of("token_endpoint_auth_method", client.token_endpoint_auth_method,
            {"none", "client_secret_post", "client_secret_basic"});
  read_overlap(in, client);
  in.texts("callbacks", client.callbacks);
  in.texts("allowed_origins", client.allowed_origins);
  in.texts("web_origins", client.web_origins);
  in.texts("allowed_logout_urls", client.allowed_logout_urls);
  in.texts("connections", client.connections);
  read_grants(in, client);
  read_jwt(in, client);
  read_refresh(in, client);
  read_addons(in, client);
  read_allowed_clients(in, client);
  read_legacy(in, client);
  in.finish(kKept, &client.extra);
  check_whole(in, client);
  return client;
}

JsonObject write_client(const Client& c) {
  const Client usual;
  JsonObject out = c.extra;
  put(out, "name", c.name);
  out["app_type"] = c.app_type;
  put(out, "enabled", c.enabled, true);
  put(out, "is_first_party", c.is_first_party, true);
  put(out, "oidc_conformant", c.oidc_conformant, true);
  put(out, "token_endpoint_auth_method", c.token_endpoint_auth_method, "none");
  if (c.previous_secret_expires_at > 0) out["previous_client_secret_expires_at"] = iso8601(c.previous_secret_expires_at);
  put(out, "callbacks", c.callbacks);
  put(out, "allowed_origins", c.allowed_origins);
  put(out, "web_origins", c.web_origins);
  put(out, "allowed_logout_urls", c.allowed_logout_urls);
  put(out, "connections", c.connections);
  std::vector<std::string> grants;
  for (const GrantWord& g : kGrants)
    if (c.grant_types.contains(g.grant)) grants.emplace_back(g.word);
  put(out, "grant_types", grants);

  JsonObject jwt, refresh, legacy, addons;
  put(jwt, "alg", std::string(jose::name(c.alg)), jose::name(usual.alg));
  put(jwt, "lifetime_in_seconds", c.lifetime_in_seconds, usual.lifetime_in_seconds);
  put(jwt, "secret_encoded", c.secret_encoded, false);
  if (!c.refresh_rotating) refresh["rotation_type"] = "non-rotating";
  if (c.refresh_infinite) refresh["expiration_type"] = "non-expiring";
  put(refresh, "idle_token_lifetime", c.refresh_idle_seconds, usual.refresh_idle_seconds);
  put(refresh, "token_lifetime", c.refresh_absolute_seconds, usual.refresh_absolute_seconds);
  put(refresh, "leeway", c.refresh_leeway_seconds, usual.refresh_leeway_seconds);
  put(legacy, "chained_delegation", c.chained_delegation, false);
  put(legacy, "query_tokens", c.query_tokens, false);
  put(legacy, "jsonp", c.jsonp, false);
  for (const auto& [type, settings] : c.addons) addons[type] = settings;
  if (!jwt.empty()) out["jwt_configuration"] = std::move(jwt);
  if (!refresh.empty()) out["refresh_token"] = std::move(refresh);
  if (!addons.empty()) out["addons"] = std::move(addons);
  if (c.allowed_clients_mode == "all") out["allowed_clients"] = "all";
  if (c.allowed_clients_mode == "listed") {
    JsonArray list;
    for (const std::string& id : c.allowed_clients) list.emplace_back(id);
    out["allowed_clients"] = std::move(list);
  }
  if (!legacy.empty()) out["legacy"] = std::move(legacy);
  return out;
}

bool apply_legacy_preset(std::string_view sdk, JsonObject& body) {
  // What the SDK's own requests need (identity-wire 1.2, 2.10): nothing is switched on that the SDK does not send.
  struct Preset {
    std::string_view sdk, app_type;
    bool password, delegation, query_tokens, jsonp;
  };
  static constexpr Preset kPresets[] = {
      {"uwp", "native", true, true, true, false},         {"wp8", "native", true, true, true, false},
      {"xamarin", "native", true, true, true, false},     {"android-1", "native", true, true, false, false},
      {"ios-1", "native", true, true, false, false},      {"auth0-js-6", "spa", true, true, false, true},
      {"auth0-js-7", "spa", true, true, false, true},     {"auth0-js-8", "spa", true, true, false, false},
      {"auth0-js-9", "spa", false, true, false, false},
  };
  for (const Preset& p : kPresets) {
    if (p.sdk != sdk) continue;
    JsonArray grants{"authorization_code", "implicit", "refresh_token"};
    if (p.password) grants.emplace_back("legacy_ro");
    if (p.delegation) grants.emplace_back("legacy_delegation_id_token"), grants.emplace_back("legacy_delegation_refresh_token");
    JsonObject legacy;
    if (p.query_tokens) legacy["query_tokens"] = true;
    if (p.jsonp) legacy["jsonp"] = true;
    const auto usual = [&](std::string_view name, Json value) {
      if (!body.contains(name)) body[name] = std::move(value);
    };
    usual("app_type", Json(boost::json::string(p.app_type)));
    usual("oidc_conformant", false);
    usual("grant_types", std::move(grants));
    usual("jwt_configuration", JsonObject{{"alg", "RS256"}});
    if (!legacy.empty()) usual("legacy", std::move(legacy));
    return true;
  }
  return false;
}

}  // namespace mandate::tenant
