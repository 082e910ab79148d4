// How a person looks to apps: identity-wire 4.1 and 4.2.
#include <openssl/evp.h>

#include "base/base64.h"
#include "base/url.h"
#include "identity/profile.h"

namespace mandate::identity {
namespace {

// Names an upstream extra may never take: the profile's own, those the issuer sets, and what never leaves the house.
bool reserved(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "user_id", "sub", "clientID", "client_id", "global_client_id", "name", "nickname", "picture", "given_name", "family_name", "email",
      "email_verified", "username", "locale", "created_at", "updated_at", "identities", "user_metadata",
      "app_metadata", "iss", "aud", "exp", "iat", "nbf", "jti", "azp", "nonce", "at_hash", "c_hash", "sid", "amr",
      "acr", "auth_time", "scope", "act", "may_act", "blocked", "last_ip", "last_login", "logins_count", "password",
      "password_hash", "roles", "role", "uid", "ver", "access_token", "refresh_token", "id_token"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::string md5_hex(std::string_view text) {
  std::string out(16, '\0');
  unsigned length = 16;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &length, EVP_md5(), nullptr);
  return to_hex(out);
}

std::string initials(const User& user) {
  const std::string_view shown = !user.name.empty() ? user.name : !user.nickname.empty() ? user.nickname : user.email;
  std::string out;
  bool start = true;
  for (const char c : shown) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter && start && out.size() < 2) out += c;
    start = c == ' ';
  }
  return ascii_lower(out.empty() ? "u" : out);
}

bool known(const std::vector<std::string>& only, std::string_view name) {
  return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
}

}  // namespace

bool reserved_profile_name(std::string_view name) { return reserved(name); }

std::string safe_link(std::string_view url) {
  const std::optional<Url> parsed = parse_url(url);
  if (!parsed || (parsed->scheme != "https" && parsed->scheme != "http") || parsed->host.empty()) return {};
  return std::string(url);
}

std::string picture_of(const User& user) {
  if (!user.picture.empty()) return user.picture;
  const std::string address = ascii_lower(user.email.empty() ? user.user_id : user.email);
  return "https://s.gravatar.com/avatar/" + md5_hex(address) + "?s=480&r=pg&d=initials&initials=" + initials(user);
}

std::string name_of(const User& user) {
  if (!user.name.empty()) return user.name;
  if (!user.given_name.empty() && !user.family_name.empty()) return user.given_name + " " + user.family_name;
  if (!user.email.empty()) return user.email;
  return user.username.empty() ? nickname_of(user) : user.username;
}

std::string nickname_of(const User& user) {
  if (!user.nickname.empty()) return user.nickname;
  if (!user.username.empty()) return user.username;
  if (!user.email.empty()) return user.email.substr(0, user.email.find('@'));
  return user.user_id.substr(user.user_id.rfind('|') + 1);
}

JsonObject legacy_profile(const User& user, const std::vector<std::string>& only) {
  JsonObject out;
  const auto put = [&](std::string_view name, Json value) {
    if (known(only, name)) out[name] = std::move(value);
  };
  const auto put_text = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) put(name, boost::json::string(value));
  };
  put_text("user_id", user.user_id);
  put_text("name", name_of(user));
  put_text("nickname", nickname_of(user));
  put_text("picture", picture_of(user));
  put_text("given_name", user.given_name);
  put_text("family_name", user.family_name);
  if (!user.email.empty()) {
    put_text("email", user.email);
    put("email_verified", user.email_verified);
  }
  put_text("username", user.username);
  put_text("locale", user.locale);
  put("created_at", boost::json::string(iso8601(user.created_at)));
  put("updated_at", boost::json::string(iso8601(user.updated_at)));
  put("identities", user.identities);
  put("user_metadata", user.user_metadata);
  put("app_metadata", user.app_metadata);
  for (const auto& [name, value] : user.extra)
    if (!reserved(name)) put(name, value);
  return out;
}

JsonObject standard_claims(const User& user, const std::vector<std::string>& scopes) {
  JsonObject out;
  const auto asked = [&](std::string_view scope) { return std::find(scopes.begin(), scopes.end(), scope) != scopes.end(); };
  const auto put_text = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  if (asked("openid")) put_text("sub", user.user_id);
  if (asked("profile")) {
    put_text("name", name_of(user));
    put_text("family_name", user.family_name);
    put_text("given_name", user.given_name);
    put_text("nickname", nickname_of(user));
    put_text("preferred_username", user.username);
    put_text("picture", picture_of(user));
    put_text("locale", user.locale);
    for (const std::string_view name : {"middle_name", "profile", "website", "gender", "birthdate", "zoneinfo"})
      if (const auto value = text_member(user.extra, name); value && !value->empty()) out[name] = *value;
    out["updated_at"] = iso8601(user.updated_at);
  }
  if (asked("email") && !user.email.empty()) {
    out["email"] = user.email;
    out["email_verified"] = user.email_verified;
  }
  return out;
}

}  // namespace mandate::identity
