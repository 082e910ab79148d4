// The member `login` of a service: who may come in at its own doors, and with what token they leave.
#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {
namespace {

constexpr std::int64_t kDay = 86'400;

void read_providers(ObjectReader& parent, ServiceLogin& out) {
  const JsonObject* group = parent.object("providers");
  if (!group) return;
  ObjectReader in(*group, parent.at("providers"), parent.problems());
  for (const auto& [key, value] : *group) {
    const std::string name(key.data(), key.size());
    std::string connection;
    in.text(name, connection, 128);
    if (const std::string text = connection_name_problem(name); !text.empty()) in.problem(name, "the name " + text);
    else if (name != ascii_lower(name)) in.problem(name, "must be lower case: apps may write it in any");
    if (const std::string text = connection_name_problem(connection); !text.empty()) in.problem(name, "the connection " + text);
    out.providers[name] = connection;
  }
}

bool is_scheme(std::string_view text) {
  if (text.empty() || text.size() > 64 || !((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

/// A scheme alone stands for the address that the old SDKs make of it; anything else is a redirect URI like all others.
std::string external_problem(const std::string& text) {
  if (text.find(':') != std::string::npos) return redirect_problem(text, false);
  if (!is_scheme(text)) return "is neither a URL nor the scheme of one";
  return redirect_problem(ascii_lower(text) + "://easyauth.callback", false);
}

}  // namespace

ServiceLogin read_service_login(const JsonObject& body, const std::string& path, Problems& problems) {
  ServiceLogin login;
  login.enabled = true;
  ObjectReader in(body, path, problems);
  in.texts("connections", login.connections);
  check_each(in, "connections", login.connections, connection_name_problem);
  read_providers(in, login);
  in.one_of("token", login.token, {"v1", "v2", "own"});
  in.one_of("signing_alg", login.signing_alg, {"ES256", "RS256"});
  in.one_of("user_id_format", login.user_id_format, {"{user_id}", "{provider}:{id}", "sid"});
  in.integer("token_lifetime", login.token_lifetime, 60, 30 * kDay);  // what is revoked is remembered for so long
  in.integer("refresh_lifetime", login.refresh_lifetime, 60, 5 * 365 * kDay);
  in.flag("keep_provider_tokens", login.keep_provider_tokens);
  in.flag("client_flow", login.client_flow);
  in.flag("legacy_callbacks", login.legacy_callbacks);
  in.texts("external_redirects", login.external_redirects);
  check_each(in, "external_redirects", login.external_redirects, external_problem);
  in.text("package_sid", login.package_sid, 256);
  const bool store_app = login.package_sid.starts_with("ms-app://s-") && login.package_sid.find_first_of("/?# ", 9) == std::string::npos;
  if (!login.package_sid.empty() && !store_app) in.problem("package_sid", "must be that of a store app: ms-app://s-1-15-…, without a slash at its end");
  in.finish();
  return login;
}

JsonObject write_service_login(const ServiceLogin& login) {
  const ServiceLogin usual;
  JsonObject out;
  put(out, "connections", login.connections);
  JsonObject providers;
  for (const auto& [name, connection] : login.providers) providers[name] = connection;
  if (!providers.empty()) out["providers"] = std::move(providers);
  put(out, "token", login.token, usual.token);
  put(out, "signing_alg", login.signing_alg, usual.signing_alg);
  put(out, "user_id_format", login.user_id_format, usual.user_id_format);
  put(out, "token_lifetime", login.token_lifetime, usual.token_lifetime);
  put(out, "refresh_lifetime", login.refresh_lifetime, usual.refresh_lifetime);
  put(out, "keep_provider_tokens", login.keep_provider_tokens, usual.keep_provider_tokens);
  put(out, "client_flow", login.client_flow, usual.client_flow);
  put(out, "legacy_callbacks", login.legacy_callbacks, usual.legacy_callbacks);
  put(out, "external_redirects", login.external_redirects);
  put(out, "package_sid", login.package_sid);
  return out;
}

Client client_of(const Service& service) {
  Client client;
  client.client_id = service_client_id(service.name);
  client.name = service.name;
  client.connections = service.login.connections;
  for (const std::string& address : service.login.external_redirects)
    if (address.find(':') != std::string::npos) client.allowed_logout_urls.push_back(address);
  client.grant_types = {std::string(grant::kServiceLogin)};
  return client;
}

}  // namespace mandate::tenant
