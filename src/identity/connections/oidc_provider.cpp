#include "identity/connections/oidc_provider.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/url.h"
#include "http/security_headers.h"
#include "identity/connections/upstream.h"

namespace mandate::identity {
namespace {

constexpr Millis kFresh = 3'600'000;     ///< documents and keys are asked for again after an hour
constexpr Millis kKeysAtMost = 60'000;   ///< a stranger's kid makes us ask no more often than this
constexpr std::size_t kMostProviders = 1000;

using Keys = std::shared_ptr<const std::vector<jose::Key>>;

/// Left half of the hash that goes with `alg`, base64url (OIDC Core §3.1.3.6).
std::string at_hash(jose::Alg alg, std::string_view token) {
  const std::string_view name = jose::name(alg);
  const EVP_MD* digest = name.ends_with("384") ? EVP_sha384() : name.ends_with("256") ? EVP_sha256() : EVP_sha512();
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(token.data(), token.size(), hash, &size, digest, nullptr);
  return base64url(std::string_view(reinterpret_cast<const char*>(hash), size / 2));
}

bool lists(const JsonObject& document, std::string_view member, std::string_view wanted) {
  const Json* list = document.if_contains(member);
  if (!list || !list->is_array()) return false;
  for (const Json& each : list->as_array())
    if (each.is_string() && view(each.as_string()) == wanted) return true;
  return false;
}

Result<OidcMetadata> metadata_of(const JsonObject& document, const std::string& issuer) {
  OidcMetadata out;
  out.issuer = text_of(document, {"issuer"});
  // Discovery §4.3: exactly the issuer that was asked, or one provider could speak for another.
  if (out.issuer != issuer) return not_to_trust("discovery of " + issuer + " says issuer " + tamed(out.issuer));
  out.authorization_endpoint = text_of(document, {"authorization_endpoint"});
  out.token_endpoint = text_of(document, {"token_endpoint"});
  out.userinfo_endpoint = text_of(document, {"userinfo_endpoint"});
  out.jwks_uri = text_of(document, {"jwks_uri"});
  for (const std::string* url : {&out.authorization_endpoint, &out.token_endpoint, &out.jwks_uri})
    if (!fit_for_oidc(*url)) return not_to_trust("discovery of " + issuer + " lacks an endpoint or has one without TLS: " + tamed(*url));
  if (!out.userinfo_endpoint.empty() && !fit_for_oidc(out.userinfo_endpoint)) return not_to_trust("userinfo_endpoint without TLS");
  if (document.contains("token_endpoint_auth_methods_supported"))
    out.basic = lists(document, "token_endpoint_auth_methods_supported", "client_secret_basic") ||
                !lists(document, "token_endpoint_auth_methods_supported", "client_secret_post");
  out.sends_issuer = bool_member(document, "authorization_response_iss_parameter_supported").value_or(false);
  return out;
}

const jose::Key* key_for(const std::vector<jose::Key>& keys, const jose::Parts& parts) {
  const jose::Key* only = nullptr;
  std::size_t fitting = 0;
  for (const jose::Key& key : keys) {
    if (key.alg() != *parts.alg) continue;
    if (!parts.kid.empty() && key.kid() == parts.kid) return &key;
    only = &key, ++fitting;
  }
  return parts.kid.empty() && fitting == 1 ? only : nullptr;
}

Result<JsonObject> check(const jose::Parts& parts, const jose::Key& key, const OidcExpectation& expected, std::int64_t now) {
  if (!jose::verify(parts, key)) return not_to_trust("id_token: signature");
  Result<Json> json = parse_json(parts.payload);
  if (!json.ok() || !json->is_object()) return not_to_trust("id_token: claims are no object");
  jose::Claims claims;
  claims.all = std::move(json->as_object());
  jose::Expectation must;
  must.issuer = expected.issuer;
  must.audiences = expected.audiences;
  must.now = now;
  if (const Result<void> good = jose::check_claims(claims, must); !good.ok()) return not_to_trust("id_token: " + good.error().detail);
  if (!claims.all.contains("iat")) return not_to_trust("id_token: iat is missing");
  const std::string_view azp = claims.text("azp");
  const bool ours = std::find(expected.audiences.begin(), expected.audiences.end(), azp) != expected.audiences.end();
  if (claims.all.contains("azp") ? !ours : claims.aud().size() > 1) return not_to_trust("id_token: azp is another");
  if (!expected.nonce.empty() && !secret_equal(expected.nonce, claims.text("nonce"))) return not_to_trust("id_token: nonce is another");
  if (const std::string_view hash = claims.text("at_hash"); !hash.empty() && !expected.access_token.empty())
    if (at_hash(key.alg(), expected.access_token) != hash) return not_to_trust("id_token: at_hash is of another token");
  return std::move(claims.all);
}

}  // namespace

bool fit_for_oidc(std::string_view text) {
  const std::optional<Url> url = parse_url(text);
  if (!url || url->host.empty() || !url->userinfo.empty() || url->has_fragment) return false;
  return url->scheme == "https" || (url->scheme == "http" && http::is_developer_host(url->host));
}

Task<JsonObject> OidcProviders::get(std::string url, Deadline deadline) {
  http::FetchRequest call;
  call.url = url;
  call.deadline = deadline;
  call.headers.set("Accept", "application/json");
  call.headers.set("User-Agent", kAgent);
  Result<http::Fetched> fetched = co_await fetch_.send(std::move(call));
  if (!fetched.ok()) {
    if (fetched.error().code == Code::timeout) co_return std::move(fetched).error();
    co_return not_working(url + ": " + fetched.error().hint + " " + fetched.error().detail);
  }
  if (fetched->status != 200) co_return not_working(url + " answered " + std::to_string(fetched->status));
  Result<Json> json = parse_json(fetched->body);
  if (!json.ok() || !json->is_object()) co_return not_working(url + " is no JSON object");
  co_return std::move(json->as_object());
}

Task<OidcMetadata> OidcProviders::metadata(std::string issuer, Deadline deadline) {
  const Millis now = clock_.now_ms();
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(issuer);
    if (found != known_.end() && found->second.metadata && now - found->second.metadata_at < kFresh) co_return *found->second.metadata;
  }
  if (!fit_for_oidc(issuer)) co_return Error(Code::server_error, "", "issuer is neither https nor on loopback: " + issuer);
  std::string url = issuer;
  while (url.ends_with('/')) url.pop_back();
  url += "/.well-known/openid-configuration";
  CO_TRY(const JsonObject document, co_await get(url, deadline));
  CO_TRY(OidcMetadata read, metadata_of(document, issuer));
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostProviders) known_.clear();
  Known& known = known_[issuer];
  known.metadata = std::make_shared<const OidcMetadata>(read);
  known.metadata_at = now;
  co_return read;
}

Task<Keys> OidcProviders::keys(OidcMetadata metadata, bool anew, Deadline deadline) {
  const Millis now = clock_.now_ms();
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(metadata.issuer);
    if (found != known_.end() && found->second.keys) {
      const Millis age = now - found->second.keys_at;
      if (anew ? age < kKeysAtMost : age < kFresh) co_return found->second.keys;
    }
  }
  CO_TRY(const JsonObject set, co_await get(metadata.jwks_uri, deadline));
  Result<std::vector<jose::Key>> read = jose::keys_of_jwks(set);
  if (!read.ok()) co_return not_working("jwks of " + metadata.issuer + ": " + read.error().detail);
  std::erase_if(*read, [](const jose::Key& key) { return jose::symmetric(key.alg()); });
  Keys fresh = std::make_shared<const std::vector<jose::Key>>(std::move(*read));
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostProviders) known_.clear();
  Known& known = known_[metadata.issuer];
  known.keys = fresh;
  known.keys_at = now;
  co_return fresh;
}

Task<JsonObject> OidcProviders::claims(OidcMetadata metadata, std::string id_token, OidcExpectation expected, Deadline deadline) {
  const Result<jose::Parts> parts = jose::parse_compact(id_token);
  if (!parts.ok()) co_return not_to_trust("id_token: " + parts.error().detail);
  // A secret that we share with the provider signs nothing here: whoever reads our configuration could be anybody.
  if (!parts->alg || jose::symmetric(*parts->alg)) co_return not_to_trust("id_token: alg");
  CO_TRY(Keys known, co_await keys(metadata, false, deadline));
  const jose::Key* key = key_for(*known, *parts);
  if (!key) {
    CO_TRY(known, co_await keys(metadata, true, deadline));
    key = key_for(*known, *parts);
  }
  if (!key) co_return not_to_trust("id_token: unknown key " + tamed(parts->kid));
  co_return check(*parts, *key, expected, clock_.now_seconds());
}

}  // namespace mandate::identity
