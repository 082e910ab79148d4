#include "identity/connections/upstream.h"

#include "base/crypto.h"
#include "base/url.h"
#include "jose/jwt.h"

namespace mandate::identity {

Error not_to_trust(std::string detail) {
  return Error(Code::invalid_token, "The answer of the identity provider cannot be trusted.", std::move(detail));
}
Error not_working(std::string detail) {
  return Error(Code::upstream_error, "The identity provider does not answer as expected.", std::move(detail));
}

std::string tamed(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= ' ' && c < 0x7F ? c : ' ';
  return out;
}

std::string text_of(const JsonObject& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const auto value = text_member(object, name); value && !value->empty()) return std::string(*value);
  return {};
}

Result<std::string> upstream_id(const Json* value, bool number_allowed) {
  if (!value || value->is_null()) return not_to_trust("profile without id");
  if (value->is_int64() && number_allowed && value->as_int64() > 0) return std::to_string(value->as_int64());
  if (value->is_uint64() && number_allowed && value->as_uint64() > 0) return std::to_string(value->as_uint64());
  if (!value->is_string()) return not_to_trust("profile id of a wrong type");
  const std::string_view text = view(value->as_string());
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (text.empty() || text.size() > 255 || !printable) return not_to_trust("profile id empty, too long or not printable");
  return std::string(text);
}

Result<Profile> profile_of(const JsonObject& said, std::string_view id_member) {
  Profile profile;
  const Json* id = said.if_contains(id_member);
  // OpenID Connect Core §5.3.2: sub is a text; other providers' ids may be numbers.
  TRY(profile.upstream_id, upstream_id(id, id_member != "sub"));
  profile.upstream_id_value = *id;
  profile.email = text_of(said, {"email"});
  profile.email_verified = bool_member(said, "email_verified").value_or(false);
  profile.name = text_of(said, {"name"});
  profile.nickname = text_of(said, {"nickname", "preferred_username", "login"});
  profile.picture = text_of(said, {"picture", "avatar_url"});
  profile.given_name = text_of(said, {"given_name"});
  profile.family_name = text_of(said, {"family_name"});
  profile.locale = text_of(said, {"locale"});
  for (const std::string_view name : {"profile", "website", "gender", "birthdate", "zoneinfo"})
    if (std::string value = text_of(said, {name}); !value.empty()) profile.extra[name] = std::move(value);
  return profile;
}

Result<ProviderTokens> tokens_of(const http::Fetched& answer, Millis now) {
  JsonObject said;
  if (Result<Json> json = parse_json(answer.body); json.ok() && json->is_object()) {
    said = std::move(json->as_object());
  } else {
    for (auto& [name, value] : parse_form(answer.body)) said[name] = value;
  }
  // Refusals come as 400 by the RFC, and as 200 from GitHub.
  const std::string error = tamed(text_of(said, {"error"})), words = tamed(text_of(said, {"error_description"}));
  if (error == "bad_verification_code" || error == "invalid_grant") return not_to_trust("token endpoint: " + error + ": " + words);
  if (!error.empty()) return not_working("token endpoint: " + error + ": " + words);
  if (answer.status != 200) return not_working("token endpoint answered " + std::to_string(answer.status));
  ProviderTokens tokens;
  tokens.access_token = text_of(said, {"access_token"});
  tokens.refresh_token = text_of(said, {"refresh_token"});
  tokens.id_token = text_of(said, {"id_token"});
  if (tokens.access_token.empty()) return not_working("token endpoint gave no access_token");
  for (const std::string* each : {&tokens.access_token, &tokens.refresh_token, &tokens.id_token})
    if (each->size() > 8192) return not_working("token endpoint gave a token of " + std::to_string(each->size()) + " bytes");
  const std::string type = text_of(said, {"token_type"});
  if (!type.empty() && !iequals(type, "bearer")) return not_working("token_type " + tamed(type));
  std::int64_t seconds = integer_member(said, "expires_in").value_or(0);
  if (const auto text = text_member(said, "expires_in"); text && !text->empty() && text->size() < 10 &&
                                                         text->find_first_not_of("0123456789") == std::string_view::npos)
    seconds = std::stoll(std::string(*text));
  if (seconds > 0 && seconds < 1'000'000'000) tokens.expires_at = now + seconds * 1000;
  return tokens;
}

Result<Profile> live_profile(std::string_view token, const Secret& client_secret, std::int64_t now) {
  if (client_secret.empty()) return not_to_trust("a Live token, and no client secret to check it with");
  const jose::Key key = jose::Key::hmac(jose::Alg::HS256, sha256(std::string(client_secret.reveal()) + "JWTSig"));
  jose::Expectation expected;
  expected.issuer = "urn:windows:liveid";
  expected.any_audience = true;  // a domain name of the app's site; the key is this client's alone
  expected.now = now;
  Result<jose::Parts> parts = jose::parse_compact(token, jose::KidForm::text_or_number);
  if (!parts.ok()) return not_to_trust("Live token: " + parts.error().detail);
  if (!jose::verify(*parts, key)) return not_to_trust("Live token: signature");
  Result<Json> json = parse_json(parts->payload);
  if (!json.ok() || !json->is_object()) return not_to_trust("Live token: claims are no object");
  jose::Claims claims;
  claims.all = std::move(json->as_object());
  if (const Result<void> good = jose::check_claims(claims, expected); !good.ok()) return not_to_trust("Live token: " + good.error().detail);
  return profile_of(claims.all, "uid");
}

}  // namespace mandate::identity
