#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {

namespace {

/// identity-wire 0.8.
constexpr std::string_view kFlags[] = {
    "allow_legacy_ro_grant_types", "allow_legacy_delegation_grant_types", "allow_legacy_tokeninfo_endpoint",
    "enable_legacy_profile",       "enable_idtoken_api2",                 "enable_client_connections",
    "change_pwd_flow_v1",          "disable_impersonation",
    // Others of the original, and ours (1.11, 1.1).
    "enable_public_signup_user_exists_error", "omit_authorization_response_iss", "legacy_authorization_response_iss",
};

}  // namespace

void read_settings(const JsonObject& body, const std::string& path, Problems& problems, Tenant& out) {
  ObjectReader in(body, path, problems);
  in.text("friendly_name", out.friendly_name, 256);
  in.flag("enabled", out.enabled);
  in.texts("hosts", out.hosts);
  check_each(in, "hosts", out.hosts, host_problem);
  in.text("issuer_host", out.issuer_host, 255);
  if (!out.issuer_host.empty())
    if (const std::string text = host_problem(out.issuer_host); !text.empty()) in.problem("issuer_host", text);
  std::vector<std::string> flags;
  in.texts("flags", flags);
  check_each(in, "flags", flags, [](const std::string& flag) {
    return std::find(std::begin(kFlags), std::end(kFlags), flag) != std::end(kFlags) ? "" : "is no flag we know";
  });
  out.flags.insert(flags.begin(), flags.end());
  in.text("default_audience", out.default_audience, 255);
  in.text("default_directory", out.default_directory, 128);
  in.one_of("token_error_status", out.token_error_status, {"rfc", "auth0"});
  in.texts("allowed_logout_urls", out.allowed_logout_urls);
  check_each(in, "allowed_logout_urls", out.allowed_logout_urls, [](const std::string& url) { return redirect_problem(url, false); });
  in.text("global_client_id", out.global_client_id, 64);
  if (!out.global_client_id.empty())
    if (const std::string text = client_id_problem(out.global_client_id); !text.empty()) in.problem("global_client_id", text);
  in.integer("session_lifetime_seconds", out.session_lifetime_seconds, 60, 366 * 86'400);
  in.integer("idle_session_lifetime_seconds", out.idle_session_lifetime_seconds, 60, 366 * 86'400);
  in.finish();
}

JsonObject write_settings(const Tenant& tenant) {
  const Tenant usual;
  JsonObject out;
  put(out, "friendly_name", tenant.friendly_name);
  put(out, "enabled", tenant.enabled, true);
  put(out, "hosts", tenant.hosts);
  put(out, "issuer_host", tenant.issuer_host);
  put(out, "flags", std::vector<std::string>(tenant.flags.begin(), tenant.flags.end()));
  put(out, "default_audience", tenant.default_audience);
  put(out, "default_directory", tenant.default_directory);
  put(out, "token_error_status", tenant.token_error_status, usual.token_error_status);
  put(out, "allowed_logout_urls", tenant.allowed_logout_urls);
  put(out, "global_client_id", tenant.global_client_id);
  put(out, "session_lifetime_seconds", tenant.session_lifetime_seconds, usual.session_lifetime_seconds);
  put(out, "idle_session_lifetime_seconds", tenant.idle_session_lifetime_seconds, usual.idle_session_lifetime_seconds);
  return out;
}

}  // namespace mandate::tenant
