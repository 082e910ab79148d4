#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {

namespace {

constexpr std::string_view kDatabase = "auth0";

/// Endpoints of a generic OAuth2 connection: https, or http on loopback for a stand-in.
void check_endpoints(ObjectReader& in, const JsonObject& options) {
  for (const auto& [key, value] : options) {
    const std::string_view name(key.data(), key.size());
    if (!name.ends_with("_url") && !name.ends_with("URL") && !name.ends_with("_endpoint")) continue;
    if (!value.is_string()) {
      in.problem(name, "must be text");
      continue;
    }
    if (const std::string text = redirect_problem(view(value.get_string()), false); !text.empty()) in.problem(name, text);
  }
}

}  // namespace

Connection read_connection(const std::string& name, const JsonObject& body, const std::string& path, Problems& problems) {
  Connection connection;
  connection.name = name;
  if (const std::string text = connection_name_problem(name); !text.empty()) problems.add(path, "the name " + text);
  ObjectReader in(body, path, problems);
  if (!in.has("strategy")) in.problem("strategy", "is missing: auth0 (database), github, oauth2 or oidc");
  in.one_of("strategy", connection.strategy, {"auth0", "github", "oauth2", "oidc"});
  in.text("display_name", connection.display_name, 256);
  in.flag("enabled", connection.enabled);
  if (const JsonObject* options = in.object("options")) {
    connection.options = *options;
    ObjectReader inner(*options, in.at("options"), problems);
    check_endpoints(inner, *options);
  }
  in.finish();
  if (connection.strategy == "oidc") {
    const std::string issuer(text_member(connection.options, "issuer").value_or(""));
    const std::string text = issuer.empty() ? "is missing: the provider's issuer, exactly as its discovery document writes it" : redirect_problem(issuer, false);
    if (!text.empty()) in.problem("options.issuer", text);
  }
  const bool upstream = connection.strategy != kDatabase;
  if (upstream && connection.enabled && text_member(connection.options, "client_id").value_or("").empty())
    in.problem("options.client_id", "is missing: the client this server is at the provider");
  return connection;
}

JsonObject write_connection(const Connection& connection) {
  JsonObject out;
  out["strategy"] = connection.strategy;
  put(out, "display_name", connection.display_name);
  put(out, "enabled", connection.enabled, true);
  if (!connection.options.empty()) out["options"] = connection.options;
  return out;
}

}  // namespace mandate::tenant
