#include "identity/user_rows.h"

#include "identity/profile.h"

namespace mandate::identity {
namespace {

using store::Cell;

JsonObject object_of(std::string_view text) {
  if (text.empty() || text == "{}") return {};  // most people's
  Result<Json> parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_object()) return {};
  return std::move(parsed->as_object());
}

}  // namespace

User user_of(const store::Row& row) {
  User user;
  user.user_id = row.text("user_id");
  user.connection = row.text("connection");
  user.email = row.text("email");
  user.email_verified = row.boolean("email_verified");
  user.username = row.text("username");
  user.name = row.text("name");
  user.nickname = row.text("nickname");
  user.picture = row.text("picture");
  user.given_name = row.text("given_name");
  user.family_name = row.text("family_name");
  user.locale = row.text("locale");
  user.blocked = row.boolean("blocked");
  user.password_hash = row.text("password_hash");
  user.user_metadata = object_of(row.text("user_metadata"));
  user.app_metadata = object_of(row.text("app_metadata"));
  user.extra = object_of(row.text("extra"));
  user.created_at = row.integer("created_at");
  user.updated_at = row.integer("updated_at");
  user.last_login = row.integer("last_login");
  user.logins_count = row.integer("logins_count");
  user.epoch = row.integer("epoch");
  return user;
}

std::vector<Cell> cells_of(const User& user) {
  return {{"user_id", user.user_id},
          {"connection", user.connection},
          {"email", user.email},
          {"email_verified", user.email_verified},
          {"username", user.username},
          {"name", user.name},
          {"nickname", user.nickname},
          {"picture", user.picture},
          {"given_name", user.given_name},
          {"family_name", user.family_name},
          {"locale", user.locale},
          {"blocked", user.blocked},
          {"password_hash", user.password_hash},
          {"user_metadata", to_json(user.user_metadata)},
          {"app_metadata", to_json(user.app_metadata)},
          {"extra", to_json(user.extra)},
          {"created_at", user.created_at},
          {"updated_at", user.updated_at},
          {"last_login", user.last_login},
          {"logins_count", user.logins_count},
          {"epoch", user.epoch}};
}

Json identity_of(const store::Row& row) {
  Json id = boost::json::string(row.text("upstream_id"));
  if (Result<Json> value = parse_json(row.text("upstream_value")); value.ok()) id = std::move(value).value();
  JsonObject identity;
  identity["user_id"] = std::move(id);
  identity["provider"] = row.text("provider");
  identity["connection"] = row.text("connection");
  identity["isSocial"] = row.boolean("is_social");
  return identity;
}

store::Mutation identity_row(const NewIdentity& identity, const std::string& user_id, Millis now) {
  return store::insert("identities", {{"connection", identity.connection},
                                      {"upstream_id", identity.upstream_id},
                                      {"user_id", user_id},
                                      {"provider", identity.provider},
                                      {"upstream_value", to_json(identity.upstream_value)},
                                      {"is_social", identity.is_social},
                                      {"added_at", now}});
}

std::string upstream_user_id(const Profile& profile) {
  const bool plain = profile.connection == profile.strategy && profile.strategy != "oauth2";
  std::string id = profile.strategy + (plain ? "|" : "|" + profile.connection + "|");
  // A bar of the provider's own would let one id spell another's parts.
  for (const char c : profile.upstream_id) {
    if (c == '|') id += "%7C";
    else if (c == '%') id += "%25";
    else id += c;
  }
  return id;
}

void refresh(User& user, const Profile& profile) {
  const auto take = [](std::string& field, const std::string& value) {
    if (!value.empty()) field = value;
  };
  if (!profile.email.empty()) {
    user.email = profile.email;
    user.email_verified = profile.email_verified;
  }
  take(user.username, profile.username);
  take(user.name, profile.name);
  take(user.nickname, profile.nickname);
  take(user.picture, safe_link(profile.picture));
  take(user.given_name, profile.given_name);
  take(user.family_name, profile.family_name);
  take(user.locale, profile.locale);
  for (const auto& [name, value] : profile.extra)
    if (!reserved_profile_name(name)) user.extra[name] = value;
}

}  // namespace mandate::identity
