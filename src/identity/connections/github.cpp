#include "identity/connections/github.h"

#include "base/base64.h"
#include "base/url.h"
#include "identity/connections/upstream.h"

namespace mandate::identity {
namespace {

constexpr std::string_view kAccept = "application/vnd.github+json";

struct Address {
  std::string email;
  bool verified = false;
};

// The primary address when it is verified, else another verified one, else the primary as unverified.
Address best_address(const Json& list) {
  Address primary, verified;
  if (!list.is_array()) return {};
  for (const Json& item : list.as_array()) {
    if (!item.is_object()) continue;
    const JsonObject& entry = item.as_object();
    const std::string email(text_member(entry, "email").value_or(""));
    const bool good = bool_member(entry, "verified").value_or(false);
    if (email.empty()) continue;
    if (bool_member(entry, "primary").value_or(false)) primary = {email, good};
    if (good && verified.email.empty()) verified = {email, true};
  }
  return primary.verified || verified.email.empty() ? primary : verified;
}

}  // namespace

Result<OAuth2Settings> GitHub::settings(const tenant::Connection& connection) const {
  OAuth2Settings defaults;
  defaults.authorization_url = "https://github.com/login/oauth/authorize";
  defaults.token_url = "https://github.com/login/oauth/access_token";
  defaults.profile_url = "https://api.github.com/user";
  defaults.scope = "read:user user:email";
  defaults.id_member = "id";
  TRY(OAuth2Settings read, read_options(connection, std::move(defaults)));
  // The addresses live beside the profile, also on GitHub Enterprise Server.
  const std::optional<std::string_view> emails = text_member(connection.options, "emails_url");
  read.emails_url = emails && !emails->empty() ? std::string(*emails) : read.profile_url + "/emails";
  if (read.client_id.empty()) return Error(Code::server_error, "", "connection " + connection.name + ": client_id is not set");
  const std::string_view api = std::string_view(read.profile_url).substr(0, read.profile_url.rfind('/'));
  read.check_url = std::string(api) + "/applications/" + percent_encode(read.client_id) + "/token";
  return read;
}

// GitHub tells the app itself, and nobody else, whether a token was made for it.
Task<void> GitHub::check_audience(OAuth2Settings with, std::string access_token, Deadline deadline) const {
  http::FetchRequest call;
  call.method = http::Method::post;
  call.url = with.check_url;
  call.deadline = deadline;
  call.headers.set("Accept", kAccept);
  call.headers.set("Content-Type", "application/json");
  call.headers.set("User-Agent", kAgent);
  call.headers.set("Authorization", "Basic " + base64(with.client_id + ":" + std::string(with.client_secret.reveal())));
  call.body = to_json(JsonObject{{"access_token", access_token}});
  Result<http::Fetched> fetched = co_await fetch_.send(std::move(call));
  if (!fetched.ok()) {
    if (fetched.error().code == Code::timeout) co_return std::move(fetched).error();
    co_return not_working("token check: " + fetched.error().hint + " " + fetched.error().detail);
  }
  if (fetched->status == 404 || fetched->status == 422) co_return not_to_trust("the token is not one of this client's");
  if (fetched->status != 200) co_return not_working("token check answered " + std::to_string(fetched->status));
  co_return ok();
}

Task<Profile> GitHub::fetch_profile(OAuth2Settings settings, std::string access_token, Deadline deadline) const {
  std::string accept(kAccept);
  CO_TRY(Json json, co_await get_json(settings.profile_url, access_token, accept, deadline));
  if (!json.is_object()) co_return Error(Code::invalid_token, "The answer of the identity provider cannot be trusted.", "user is no object");
  const JsonObject& said = json.as_object();
  const auto text = [&](std::string_view name) { return std::string(text_member(said, name).value_or("")); };
  Profile profile;
  const Json* id = said.if_contains("id");
  if (id && id->is_string()) co_return Error(Code::invalid_token, "The answer of the identity provider cannot be trusted.", "id is a text");
  CO_TRY(profile.upstream_id, upstream_id(id, true));
  profile.upstream_id_value = *id;
  profile.nickname = text("login");
  profile.name = text("name");
  profile.picture = text("avatar_url");
  for (const std::string_view name : {"html_url", "blog", "company", "location", "bio", "node_id", "type"})
    if (std::string value = text(name); !value.empty()) profile.extra[name] = std::move(value);

  Result<Json> emails = co_await get_json(settings.emails_url, access_token, accept, deadline);
  if (emails.ok()) {
    Address address = best_address(*emails);
    profile.email = std::move(address.email);
    profile.email_verified = address.verified;
  } else if (emails.error().code != Code::invalid_token) {
    co_return std::move(emails).error();
  } else {
    // The person did not grant the scope: what the profile shows is an address, but nobody vouches for it.
    profile.email = text("email");
  }
  co_return profile;
}

}  // namespace mandate::identity
