#include "identity/bearer.h"

#include "base/url.h"
#include "identity/credentials.h"
#include "identity/epochs.h"

namespace mandate::identity {
namespace {

constexpr std::string_view kZumoUrn = "urn:microsoft:windows-azure:zumo";
constexpr std::int64_t kLeeway = 300;  ///< of iat and nbf; exp has none

Error refuse(std::string text, std::string detail = {}) { return Error(Code::unauthorized, std::move(text), std::move(detail)); }

/// The format errors of the old runtime, word for word.
Error format_error(std::string_view token, std::string detail) {
  const std::string head = "Invalid token format. ";
  if (token.empty()) return refuse(head + "Token must not be empty.");
  const std::size_t first = token.find('.'), second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return refuse(head + "Expected Envelope.Claims.Signature.");
  if (first == 0) return refuse(head + "Envelope must not be empty.");
  if (second == first + 1) return refuse(head + "Claims must not be empty.");
  if (second + 1 == token.size()) return refuse(head + "Signature must not be empty.");
  return refuse(head + "Expected Envelope.Claims.Signature.", std::move(detail));
}

bool supported(jose::Alg alg) { return jose::symmetric(alg) || alg == jose::Alg::RS256 || alg == jose::Alg::ES256; }

Result<void> check_type(const jose::Parts& parts) {
  const auto typ = text_member(parts.header, "typ");
  // Our own access tokens say at+jwt (RFC 9068); they are never symmetric.
  const bool own = typ && parts.alg && !jose::symmetric(*parts.alg) && iequals(*typ, "at+jwt");
  if (typ && !iequals(*typ, "JWT") && !own) return refuse("The authentication token type is invalid.");
  if (!parts.alg || !supported(*parts.alg)) return refuse("The authentication token alg is not supported.");
  return {};
}

Result<std::optional<std::int64_t>> date(const JsonObject& claims, std::string_view name, std::string_view text) {
  if (!claims.contains(name)) return std::optional<std::int64_t>();
  const auto value = integer_member(claims, name);
  if (!value || *value < 0 || *value >= (std::int64_t{1} << 53)) return refuse(std::string(text), std::string(name) + " is no whole number");
  return std::optional<std::int64_t>(*value);
}

Result<std::int64_t> check_times(const JsonObject& claims, std::int64_t now) {
  constexpr std::string_view kNoExp = "The authentication token requires expiration claim.";
  constexpr std::string_view kIat = "The authentication token is not valid until after its IssuedAt.";
  constexpr std::string_view kNbf = "The authentication token is not valid until after its NotBefore.";
  TRY(const auto exp, date(claims, "exp", kNoExp));
  if (!exp) return refuse(std::string(kNoExp));
  if (now >= *exp) return refuse("The authentication token has expired.");
  TRY(const auto iat, date(claims, "iat", kIat));
  if (iat && *iat > now + kLeeway) return refuse(std::string(kIat));
  TRY(const auto nbf, date(claims, "nbf", kNbf));
  if (nbf && *nbf > now + kLeeway) return refuse(std::string(kNbf));
  return *exp;
}

bool verified_by_any(const jose::Parts& parts, const std::vector<jose::Key>& keys) {
  for (const jose::Key& key : keys)
    if (jose::verify(parts, key)) return true;
  return false;
}

void name_user(Bearer& bearer, std::string user_id) {
  Principal& p = bearer.principal;
  p.level = Level::authenticated;
  p.provider = user_id.substr(0, std::min(user_id.find_first_of(":|"), user_id.size()));
  p.user_id = std::move(user_id);
}

/// Old runtime's form, from whoever holds the master key: signature and exp are all that counts.
Result<void> as_v1(const BearerPlace& place, const jose::Claims& claims, Bearer& bearer) {
  std::string uid(claims.text("uid"));
  if (uid.empty()) uid = claims.sub();
  if (uid.empty()) return refuse("The authentication token has no user id.");
  name_user(bearer, std::move(uid));
  bearer.principal.client_id = claims.text("azp");
  bearer.subject = claims.sub();
  if (const auto epochs = epochs_of(claims.all)) {
    bearer.tenant_epoch = epochs->tenant;
    bearer.user_epoch = epochs->user;
  }
  bearer.ours = !bearer.subject.empty() && (bearer.user_epoch || claims.iss() == place.issuer);
  return {};
}

void read_identities(const BearerPlace& place, const jose::Claims& claims, Bearer& bearer) {
  for (const Secret* master : {&place.keys.master_key, &place.keys.previous_master_key}) {
    if (master->empty()) continue;
    auto identities = identities_in(claims.all, bearer.principal.user_id, master->reveal());
    if (!identities) continue;
    bearer.principal.identities = std::make_shared<const JsonObject>(std::move(*identities));
    return;
  }
}

Result<void> as_v2(const BearerPlace& place, const jose::Claims& claims, Bearer& bearer) {
  const std::string origin = std::string(place.origin);
  const auto is_us = [&](std::string_view text) { return text == kZumoUrn || text == place.issuer || text == origin + "/" || text == origin; };
  if (!is_us(claims.iss())) return refuse("jwt issuer invalid");
  bool for_us = false;
  for (const std::string_view aud : claims.aud()) for_us = for_us || is_us(aud);
  if (!for_us) return refuse("jwt audience invalid");
  if (claims.sub().empty()) return refuse("The authentication token has no user id.");
  name_user(bearer, std::string(claims.sub()));
  // Made by our own login, or by somebody else who holds the key.
  bearer.subject = claims.text(kSubjectClaim);
  if (const auto epochs = epochs_of(claims.all)) {
    bearer.tenant_epoch = epochs->tenant;
    bearer.user_epoch = epochs->user;
  }
  bearer.ours = !bearer.subject.empty() && bearer.user_epoch;
  return {};
}

/// uid_format of the add-on whose client the token was made for.
std::string_view uid_format_of(const tenant::Tenant& tenant, const jose::Claims& claims) {
  for (const std::string_view aud : claims.aud()) {
    const tenant::Client* client = tenant.client(aud);
    if (!client) continue;
    const auto wams = client->addons.find("wams");
    if (wams != client->addons.end()) return text_member(wams->second, "uid_format").value_or("{user_id}");
  }
  return "{user_id}";
}

Result<void> as_own(const BearerPlace& place, const jose::Claims& claims, Bearer& bearer) {
  if (claims.iss() != place.issuer) return refuse("jwt issuer invalid");
  bool for_us = false;
  for (const std::string& audience : place.keys.audiences) for_us = for_us || claims.has_aud(audience);
  if (!for_us) return refuse("jwt audience invalid");
  bearer.principal.client_id = claims.text("azp").empty() ? claims.text("client_id") : claims.text("azp");
  if (claims.sub().empty()) return refuse("The authentication token has no user id.");
  if (claims.sub().ends_with("@clients")) {  // client credentials: an application, nobody in particular
    bearer.principal.level = Level::application;
    return {};
  }
  bearer.ours = true;
  bearer.subject = claims.sub();
  // id_tokens and access tokens spell it differently; in both, absent is the zero that everybody starts with.
  const Epochs epochs = epochs_of(claims.all).value_or(Epochs{});
  bearer.user_epoch = integer_member(claims.all, "user_epoch").value_or(epochs.user);
  bearer.tenant_epoch = static_cast<std::uint64_t>(integer_member(claims.all, "tenant_epoch").value_or(static_cast<std::int64_t>(epochs.tenant)));
  const bool own_login = !place.keys.login_audience.empty() && claims.has_aud(place.keys.login_audience);
  std::string uid(own_login ? claims.text("uid") : std::string_view());
  if (uid.empty()) uid = service_user_id(uid_format_of(place.tenant, claims), claims.sub());
  name_user(bearer, std::move(uid));
  return {};
}

}  // namespace

Result<Bearer> read_bearer(const BearerPlace& place, std::string_view token, std::int64_t now) {
  auto parts = jose::parse_compact(token, jose::KidForm::text_or_number);
  if (!parts.ok()) return format_error(token, parts.error().detail);
  CHECK_OK(check_type(*parts));
  auto json = parse_json(parts->payload);
  if (!json.ok() || !json->is_object()) return format_error(token, "claims are no JSON object");

  jose::Claims claims;
  claims.all = std::move(json->get_object());
  Bearer bearer;
  TRY(bearer.exp, check_times(claims.all, now));
  const Error bad_signature = refuse("The authentication token has an invalid signature.");
  if (jose::symmetric(*parts->alg)) {
    if (verified_by_any(*parts, place.keys.v1)) {
      CHECK_OK(as_v1(place, claims, bearer));
      read_identities(place, claims, bearer);
    } else if (verified_by_any(*parts, place.keys.v2)) {
      CHECK_OK(as_v2(place, claims, bearer));
      read_identities(place, claims, bearer);
    } else {
      return bad_signature;
    }
  } else {
    const jose::Key* key = place.tenant.verifying_key(parts->kid);
    if (!key || !jose::verify(*parts, *key)) return bad_signature;
    CHECK_OK(as_own(place, claims, bearer));
    read_identities(place, claims, bearer);
  }
  bearer.principal.claims = std::make_shared<const JsonObject>(std::move(claims.all));
  return bearer;
}

}  // namespace mandate::identity
