// A provider of OpenID Connect with keys of its own: discovery, jwks, authorization with PKCE and nonce, tokens, userinfo,
// refresh. Exact where a client could be careless; each way of lying that SE-6 names is a switch.
#pragma once

#include <map>
#include <string>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "http/params.h"
#include "http/router.h"
#include "jose/jwt.h"

namespace mandate::test {

struct OidcStandIn {
  explicit OidcStandIn(const Clock& given) : clock(given) {}

  const Clock& clock;
  std::string issuer = "https://id.example/realms/one";
  std::string client_id = "mandate-at-provider", client_secret = "a secret of the provider's: +&%";
  jose::Key key = *jose::Key::generate(jose::Alg::RS256, "k1");
  std::string sub = "248289761001", email = "ann@example.org", name = "Ann Example";
  // What may go wrong.
  std::string says_issuer, token_issuer, audience, nonce_instead, userinfo_sub, azp;
  JsonObject more_claims;
  bool person_denies = false, no_id_token = false, publishes_key = true, sends_iss = true, basic_only = true, refresh_revoked = false, gives_refresh = true;
  std::int64_t id_token_lifetime = 300;
  int key_requests = 0, document_requests = 0, exchanges = 0, refreshes = 0;

  std::string origin() const { return parse_url(issuer)->origin(); }
  std::string path() const { return parse_url(issuer)->path; }

  void mount(http::Routes& routes) {
    routes.get(path() + "/.well-known/openid-configuration", [this](http::Request&) { return ready(document()); });
    routes.get("/keys", [this](http::Request&) { return ready(keys()); });
    routes.get("/authorize", [this](http::Request& request) { return ready(authorize(request)); });
    routes.post("/token", [this](http::Request& request) { return ready(token(request)); });
    routes.get("/userinfo", [this](http::Request& request) { return ready(userinfo(request)); });
  }

  /// An id_token as this provider would sign it now.
  std::string id_token(const std::string& nonce, const std::string& access_token = {}) {
    JsonObject claims{{"iss", token_issuer.empty() ? issuer : token_issuer}, {"sub", sub}, {"aud", audience.empty() ? client_id : audience},
                      {"iat", clock.now_seconds()}, {"exp", clock.now_seconds() + id_token_lifetime}, {"email", email}, {"email_verified", true}, {"name", name}};
    if (!nonce.empty()) claims["nonce"] = nonce_instead.empty() ? nonce : nonce_instead;
    if (!azp.empty()) claims["azp"] = azp;
    if (!access_token.empty()) claims["at_hash"] = base64url(sha256(access_token).substr(0, 16));
    for (const auto& [member, value] : more_claims) claims[member] = value;
    return *jose::sign_jwt(key, claims);
  }

 private:
  struct Granted {
    std::string redirect_uri, challenge, nonce;
  };
  std::map<std::string, Granted> codes_;
  std::string access_token_, refresh_token_;
  int serial_ = 0;

  std::string fresh(std::string_view what) { return std::string(what) + "-" + to_hex(sha256(std::string(what) + std::to_string(++serial_))).substr(0, 24); }
  static http::Response json(int status, JsonObject body) { return http::Response::json(status, Json(std::move(body))); }

  http::Response document() {
    ++document_requests;
    const std::string base = origin();
    return json(200, {{"issuer", says_issuer.empty() ? issuer : says_issuer},
                      {"authorization_endpoint", base + "/authorize"},
                      {"token_endpoint", base + "/token"},
                      {"userinfo_endpoint", base + "/userinfo"},
                      {"jwks_uri", base + "/keys"},
                      {"response_types_supported", JsonArray{"code"}},
                      {"subject_types_supported", JsonArray{"public"}},
                      {"id_token_signing_alg_values_supported", JsonArray{"RS256", "ES256"}},
                      {"token_endpoint_auth_methods_supported", basic_only ? JsonArray{"client_secret_basic"} : JsonArray{"client_secret_post"}},
                      {"code_challenge_methods_supported", JsonArray{"S256"}},
                      {"authorization_response_iss_parameter_supported", sends_iss}});
  }

  http::Response keys() {
    ++key_requests;
    JsonObject jwk = key.public_jwk();
    jwk.erase("alg");  // many providers leave it out
    JsonArray list;
    if (publishes_key) list.push_back(std::move(jwk));
    return json(200, {{"keys", std::move(list)}});
  }

  http::Response authorize(const http::Request& request) {
    const auto params = http::Params::of_query(request.query);
    std::string to(params.get("redirect_uri"));
    const bool good = params.get("client_id") == client_id && params.get("response_type") == "code" && params.has("state") && params.has("nonce") &&
                      params.get("code_challenge_method") == "S256" && (" " + std::string(params.get("scope")) + " ").find(" openid ") != std::string::npos;
    if (!good) return http::Response::text(400, "not an authorization request");
    if (person_denies) {
      append_query(to, "error", "access_denied");
      append_query(to, "error_description", "Ann said no");
    } else {
      const std::string code = fresh("code");
      codes_[code] = {to, std::string(params.get("code_challenge")), std::string(params.get("nonce"))};
      append_query(to, "code", code);
    }
    append_query(to, "state", params.get("state"));
    if (sends_iss) append_query(to, "iss", issuer);
    return http::Response::redirect(302, to);
  }

  bool client_proved(const http::Request& request, const http::Params& params) const {
    if (basic_only)
      return request.headers.get("authorization") == "Basic " + base64(percent_encode(client_id) + ":" + percent_encode(client_secret)) && !params.has("client_secret");
    return params.get("client_id") == client_id && params.get("client_secret") == client_secret && request.headers.get("authorization").empty();
  }

  http::Response token(const http::Request& request) {
    const auto params = http::Params::of(request);
    if (!params.ok()) return json(400, {{"error", "invalid_request"}});
    if (!client_proved(request, *params)) return json(401, {{"error", "invalid_client"}});
    std::string nonce;
    if (params->get("grant_type") == "refresh_token") {
      ++refreshes;
      if (params->get("refresh_token") != refresh_token_) refresh_revoked = true;  // used twice: the whole login ends (RFC 9700 4.14.2)
      if (refresh_revoked) return json(400, {{"error", "invalid_grant"}});
    } else {
      ++exchanges;
      const auto at = codes_.find(std::string(params->get("code")));
      if (at == codes_.end()) return json(400, {{"error", "invalid_grant"}});
      const Granted granted = at->second;
      codes_.erase(at);
      if (params->get("redirect_uri") != granted.redirect_uri || base64url(sha256(params->get("code_verifier"))) != granted.challenge)
        return json(400, {{"error", "invalid_grant"}});
      nonce = granted.nonce;
    }
    access_token_ = fresh("access");
    JsonObject body{{"access_token", access_token_}, {"token_type", "Bearer"}, {"expires_in", 3600}};
    if (gives_refresh) body["refresh_token"] = refresh_token_ = fresh("refresh");
    if (!no_id_token) body["id_token"] = id_token(nonce, access_token_);
    return json(200, std::move(body));
  }

  http::Response userinfo(const http::Request& request) {
    if (request.headers.get("authorization") != "Bearer " + access_token_) return json(401, {{"error", "invalid_token"}});
    return json(200, {{"sub", userinfo_sub.empty() ? sub : userinfo_sub}, {"email", email}, {"email_verified", true}, {"name", name}, {"picture", "https://id.example/ann.png"}});
  }
};

}  // namespace mandate::test
