#include "jose/jwt.h"

#include <cmath>

#include "base/url.h"

namespace mandate::jose {
namespace {

constexpr std::int64_t kMostSeconds = std::int64_t{1} << 53;

Error refuse(std::string why) { return Error(Code::invalid_token, "The token is not valid.", std::move(why)); }

/// A NumericDate as this house takes it: absent, or a whole number from 0 to 2^53 (TK-6).
Result<std::optional<std::int64_t>> date(const JsonObject& claims, const char* name) {
  if (!claims.contains(name)) return std::optional<std::int64_t>();
  const auto value = integer_member(claims, name);
  if (!value || *value < 0 || *value >= kMostSeconds) return refuse(std::string(name) + " is no whole number of seconds");
  return std::optional<std::int64_t>(*value);
}

Result<void> check_times(const JsonObject& all, const Expectation& expected) {
  TRY(const auto exp, date(all, "exp"));
  TRY(const auto nbf, date(all, "nbf"));
  TRY(const auto iat, date(all, "iat"));
  if (!exp) return refuse("exp is missing");
  if (expected.now >= *exp + expected.leeway) return refuse("expired");
  if (nbf && *nbf > expected.now + expected.not_before_leeway) return refuse("not valid before nbf");
  if (iat && *iat > expected.now + expected.not_before_leeway) return refuse("not valid before iat");
  return {};
}

Result<void> check_audience(const Claims& claims, const Expectation& expected) {
  if (const Json* aud = claims.all.if_contains("aud")) {
    if (!aud->is_string() && !aud->is_array()) return refuse("aud is neither text nor list");
    if (aud->is_array())
      for (const Json& item : aud->get_array())
        if (!item.is_string()) return refuse("aud has a member that is no text");
  }
  if (expected.any_audience) return {};
  for (const std::string& audience : expected.audiences)
    if (!audience.empty() && claims.has_aud(audience)) return {};
  return refuse("aud is another");
}

}  // namespace

std::string_view Claims::text(std::string_view name) const { return text_member(all, name).value_or(std::string_view()); }

std::vector<std::string_view> Claims::aud() const {
  std::vector<std::string_view> out;
  const Json* member = all.if_contains("aud");
  if (!member) return out;
  if (member->is_string()) out.push_back(view(member->get_string()));
  if (member->is_array())
    for (const Json& item : member->get_array())
      if (item.is_string()) out.push_back(view(item.get_string()));
  return out;
}

bool Claims::has_aud(std::string_view audience) const {
  for (const std::string_view mine : aud())
    if (mine == audience) return true;
  return false;
}

std::int64_t Claims::exp() const { return integer_member(all, "exp").value_or(0); }
std::int64_t Claims::iat() const { return integer_member(all, "iat").value_or(0); }

Result<void> check_claims(const Claims& claims, const Expectation& expected) {
  CHECK_OK(check_times(claims.all, expected));
  if (!expected.any_issuer && (expected.issuer.empty() || claims.iss() != expected.issuer)) return refuse("iss is another");
  CHECK_OK(check_audience(claims, expected));
  if (!expected.typ.empty()) {
    std::string_view typ = text_member(claims.header, "typ").value_or(std::string_view());
    constexpr std::string_view kPrefix = "application/";
    if (typ.size() > kPrefix.size() && iequals(typ.substr(0, kPrefix.size()), kPrefix)) typ.remove_prefix(kPrefix.size());
    if (!iequals(typ, expected.typ)) return refuse("typ is another");
  }
  return {};
}

Result<Claims> verify_jwt(std::string_view token, const KeyFinder& find, const Expectation& expected) {
  TRY(Parts parts, parse_compact(token));
  const Key* key = find(parts.kid, parts.alg);
  if (!key) return refuse("unknown key");
  if (!verify(parts, *key)) return refuse("signature");
  auto json = parse_json(parts.payload);
  if (!json.ok() || !json->is_object()) return refuse("payload is no JSON object");
  Claims claims;
  claims.header = std::move(parts.header);
  claims.all = std::move(json->get_object());
  CHECK_OK(check_claims(claims, expected));
  return claims;
}

Result<Claims> verify_jwt(std::string_view token, const Key& key, const Expectation& expected) {
  return verify_jwt(token, [&key](std::string_view, std::optional<Alg>) { return &key; }, expected);
}

Result<std::string> sign_jwt(const Key& key, const JsonObject& claims, std::string_view typ) {
  std::string header = "{\"alg\":\"";
  header += name(key.alg());
  header += "\",\"typ\":";
  append_json_string(header, typ);
  if (!key.kid().empty()) {
    header += ",\"kid\":";
    append_json_string(header, key.kid());
  }
  header += '}';
  std::string payload;
  payload.reserve(512);
  append_json(payload, claims);
  return sign_compact(key, header, payload);
}

}  // namespace mandate::jose
