// The keys of a mobile service, opened from the vault.
#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "identity/bearer.h"

namespace mandate::identity {
namespace {

constexpr jose::Alg kHmacs[] = {jose::Alg::HS256, jose::Alg::HS384, jose::Alg::HS512};

void add_v2_key(std::vector<jose::Key>& keys, std::string_view bytes) {
  for (const jose::Alg alg : kHmacs) keys.push_back(jose::Key::hmac(alg, bytes));
}

/// Azure shows the key as hex, .NET samples write base64, Node samples any text.
void add_v2_text(std::vector<jose::Key>& keys, std::string_view text) {
  if (const auto bytes = from_hex(text); bytes && bytes->size() >= 16) return add_v2_key(keys, *bytes);
  add_v2_key(keys, text);
  if (const auto bytes = base64_any_decode(text); bytes && bytes->size() >= 32) add_v2_key(keys, *bytes);
}

bool names_host(const std::vector<std::string>& hosts, const Url& url) {
  const std::string with_port = url.port ? url.host + ":" + std::to_string(*url.port) : url.host;
  for (const std::string& host : hosts)
    if (iequals(host, url.host) || iequals(host, with_port)) return true;
  return false;
}

/// An API "points to" a service when its identifier is the service's address.
bool points_to(const tenant::Api& api, const tenant::Tenant& tenant, const tenant::Service& service) {
  const auto url = parse_url(api.identifier);
  if (!url || url->host.empty()) return false;
  if (names_host(service.hosts, *url)) return true;
  const std::string_view path = std::string_view(url->path).substr(0, url->path.size() - (url->path.ends_with('/') ? 1 : 0));
  if (names_host(tenant.hosts, *url) && !path.empty() && tenant.service_with_prefix(path) == &service) return true;
  return service.name == tenant::kDefaultService && (url->path.empty() || url->path == "/") && names_host(tenant.hosts, *url);
}

}  // namespace

jose::Key zumo_key(std::string_view master_key) {
  return jose::Key::hmac(jose::Alg::HS256, sha256(std::string(master_key) + "JWTSig"), "0");
}

Result<ServiceKeys> open_service_keys(const tenant::Tenant& tenant, const tenant::Service& service, const tenant::Vault& vault,
                                      std::optional<Millis> now) {
  ServiceKeys keys;
  const auto open = [&](const std::string& text, std::string_view field) -> Result<Secret> {
    if (text.empty()) return Secret();
    return vault.unseal(text, tenant::sealed::service(service.name, field));
  };
  TRY(keys.application_key, open(service.application_key_sealed, "application_key"));
  TRY(keys.master_key, open(service.master_key_sealed, "master_key"));
  TRY(keys.previous_master_key, open(service.previous_master_key_sealed, "previous_master_key"));
  if (!keys.master_key.empty()) keys.v1.push_back(zumo_key(keys.master_key.reveal()));
  if (!keys.previous_master_key.empty()) keys.v1.push_back(zumo_key(keys.previous_master_key.reveal()));
  for (const std::string& text : service.v2_signing_keys_sealed) {
    TRY(const Secret key, open(text, "v2_signing_key"));
    if (!key.empty()) add_v2_text(keys.v2, key.reveal());
  }
  for (const tenant::RetiredKey& retired : service.retired_keys) {
    if (!now || retired.until <= *now) continue;
    TRY(Secret key, open(retired.sealed, retired.field));
    keys.until = keys.until ? std::min(keys.until, retired.until) : retired.until;
    if (retired.field == "v2_signing_key") {
      add_v2_text(keys.v2, key.reveal());
    } else if (retired.field == "master_key") {
      keys.v1.push_back(zumo_key(key.reveal()));
      keys.retired_master_keys.push_back(std::move(key));
    } else if (retired.field == "application_key") {
      keys.retired_application_keys.push_back(std::move(key));
    }
  }
  if (service.login.enabled) keys.audiences.push_back(keys.login_audience = tenant::service_client_id(service.name));
  for (const auto& [id, client] : tenant.clients) {
    const auto wams = client.addons.find("wams");
    if (!client.enabled || wams == client.addons.end()) continue;
    // With a master key of its own the add-on serves a foreign service, unless it says which of ours.
    const auto named = text_member(wams->second, "service");
    const bool foreign = wams->second.contains("masterkey") && !named;
    if (!foreign && named.value_or(tenant::kDefaultService) == service.name) keys.audiences.push_back(id);
  }
  for (const auto& [identifier, api] : tenant.apis)
    if (points_to(api, tenant, service)) keys.audiences.push_back(identifier);
  return keys;
}

std::string service_user_id(std::string_view format, std::string_view user_id) {
  if (format == "sid") return "sid:" + to_hex(sha256("service user id\n" + std::string(user_id))).substr(0, 32);
  if (format != "{provider}:{id}") return std::string(user_id);
  std::size_t bar = user_id.find('|');
  if (bar == std::string_view::npos) return std::string(user_id);
  // A generic strategy says nothing; the connection's name behind it is what people chose.
  if (const std::size_t second = user_id.find('|', bar + 1);
      second != std::string_view::npos && (user_id.starts_with("oidc|") || user_id.starts_with("oauth2|"))) {
    user_id.remove_prefix(bar + 1);
    bar = second - bar - 1;
  }
  constexpr std::pair<std::string_view, std::string_view> kOldNames[] = {
      {"facebook", "Facebook"}, {"google-oauth2", "Google"}, {"google", "Google"}, {"twitter", "Twitter"},
      {"windowslive", "MicrosoftAccount"}, {"microsoftaccount", "MicrosoftAccount"}, {"waad", "Aad"}, {"aad", "Aad"}};
  std::string_view provider = user_id.substr(0, bar);
  for (const auto& [ours, theirs] : kOldNames)
    if (provider == ours) provider = theirs;
  return std::string(provider) + ":" + std::string(user_id.substr(bar + 1));
}

}  // namespace mandate::identity
