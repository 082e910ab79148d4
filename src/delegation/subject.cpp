#include "delegation/subject.h"

#include "delegation/addons/wams_key.h"
#include "identity/bearer.h"
#include "identity/epochs.h"
#include "oauth/issuer.h"
#include "oauth/locked.h"

namespace mandate::delegation {
namespace {

Error bad(std::string why) { return Error(Code::invalid_token, "invalid id_token", std::move(why)); }

/// Whose token it claims to be, for the audit row only: nothing here is verified.
bool names_another_issuer(std::string_view token, std::string_view issuer) {
  const auto parts = jose::parse_compact(token);
  if (!parts.ok()) return false;
  const auto claims = parse_json(parts->payload);
  if (!claims.ok() || !claims->is_object()) return false;
  const auto iss = text_member(claims->get_object(), "iss");
  return iss && *iss != issuer;
}

/// A token that our own door made for this caller: from a client's id_token key, or from a wams add-on's.
Result<jose::Claims> chained(const SubjectRequest& r) {
  const std::int64_t now = r.now / 1000;
  const auto parts = jose::parse_compact(r.token);
  if (!parts.ok()) return bad(parts.error().detail);
  const auto unverified = parse_json(parts->payload);
  if (!unverified.ok() || !unverified->is_object()) return bad("payload");
  const auto aud = text_member(unverified->get_object(), "aud").value_or("");
  if (const tenant::Client* target = r.here->client(aud)) {
    auto claims = oauth::verify_id_token(r.here, *target, r.vault, r.issuer, r.token, now);
    if (claims.ok()) return claims;
  }
  jose::Expectation expected;
  expected.any_issuer = expected.any_audience = true;  // the master key and azp say enough
  expected.now = now;
  for (const auto& [id, target] : r.here->clients) {
    if (!target.enabled || !target.addons.contains("wams")) continue;
    for (const jose::Key& key : wams_verifying_keys(*r.here, target, r.vault)) {
      auto claims = jose::verify_jwt(r.token, key, expected);
      if (claims.ok() && !claims->text(identity::kEpochClaim).empty()) return claims;
    }
  }
  return bad("signature");
}

Result<jose::Claims> verified_id_token(const SubjectRequest& r) {
  auto claims = oauth::verify_id_token(r.here, r.caller, r.vault, r.issuer, r.token, r.now / 1000);
  const std::string_view azp = claims.ok() ? claims->text("azp") : std::string_view();
  // A token with an azp of another client is what that client's delegation to us gave: no login of ours (DG-7).
  if (claims.ok() && (azp.empty() || azp == r.caller.client_id)) return claims;
  if (claims.ok() && !r.caller.chained_delegation) return bad("delegation result as subject");
  if (r.caller.chained_delegation) {
    auto again = chained(r);
    if (again.ok() && again->text("azp") == r.caller.client_id) return again;
  }
  if (names_another_issuer(r.token, r.issuer)) return bad("foreign_tenant_token");
  return bad(claims.ok() ? "delegation result as subject" : claims.error().detail);
}

JsonObject object_claim(const JsonObject& claims, std::string_view name) {
  const Json* member = claims.if_contains(name);
  return member && member->is_object() ? member->get_object() : JsonObject();
}

Result<Subject> from_id_token(const SubjectRequest& r) {
  TRY(jose::Claims claims, verified_id_token(r));
  Subject s;
  s.kind = SubjectKind::id_token;
  s.user_id = claims.sub();
  s.exp = claims.exp();
  const identity::Epochs epochs = identity::epochs_of(claims.all).value_or(identity::Epochs{});
  s.user_epoch = epochs.user;
  s.tenant_epoch = epochs.tenant;
  s.sid = claims.text("sid");
  s.needs_session = !s.sid.empty();
  s.act = object_claim(claims.all, "act");
  s.may_act = object_claim(claims.all, "may_act");
  s.claims = std::move(claims.all);
  if (s.user_id.empty()) return bad("no sub");
  return s;
}

Task<Subject> from_refresh_token(SubjectRequest r) {
  std::string token = r.token, client_id = r.caller.client_id;
  Result<oauth::RefreshToken> found = co_await oauth::find_refresh_token(r.here, std::move(token), std::move(client_id), r.now);
  if (!found.ok()) {
    const Error& why = found.error();
    if (why.code != Code::invalid_grant) co_return why;
    co_return Error(Code::invalid_grant, "Unknown or invalid refresh token.", why.detail);
  }
  Subject s;
  s.kind = SubjectKind::refresh_token;
  s.user_id = found->user_id;
  s.connection = found->connection;
  s.scopes = found->scopes;
  s.user_epoch = found->user_epoch;
  s.tenant_epoch = found->tenant_epoch;
  // As at /oauth/token: a logout has taken it away, the session's own end does not (SE-5); DG-8 goes by its own.
  s.exp = found->expires_at / 1000;
  if (!found->offline_consent) s.sid = found->sid;
  co_return s;
}

Task<Subject> from_access_token(SubjectRequest r) {
  std::string token = r.token;
  const std::string issuer = r.issuer;
  Result<oauth::AccessToken> found = co_await oauth::read_access_token(r.here, issuer, std::move(token), r.now);
  if (!found.ok()) {
    if (found.error().code != Code::invalid_token) co_return found.error();
    co_return Error(Code::invalid_token, "invalid access_token", names_another_issuer(r.token, r.issuer) ? "foreign_tenant_token" : found.error().detail);
  }
  if (found->client_id != r.caller.client_id) co_return Error(Code::invalid_token, "invalid access_token", "another client's");
  if (found->user_id.empty()) co_return Error(Code::invalid_token, "invalid access_token", "nobody's: client credentials");
  if (found->claims.contains("act") && !r.caller.chained_delegation)
    co_return Error(Code::invalid_token, "invalid access_token", "delegation result as subject");
  Subject s;
  s.kind = SubjectKind::access_token;
  s.user_id = found->user_id;
  s.scopes = found->scopes;
  s.exp = found->expires_at / 1000;
  s.user_epoch = found->user_epoch;
  s.sid = found->sid;
  s.act = object_claim(found->claims, "act");
  s.may_act = object_claim(found->claims, "may_act");
  co_return s;
}

/// The connection the person came through: the one the subject names, else one of the person's that the client may use,
/// else the first, which the gate then refuses.
std::string connection_of(const tenant::Tenant& tenant, const tenant::Client& caller, const identity::User& user) {
  std::string first;
  for (const Json& identity : user.identities) {
    if (!identity.is_object()) continue;
    const std::string name(text_member(identity.get_object(), "connection").value_or(""));
    if (name.empty()) continue;
    for (const tenant::Connection* allowed : tenant.connections_of(caller))
      if (allowed->name == name) return name;
    if (first.empty()) first = name;
  }
  return first;
}

}  // namespace

std::string_view name(SubjectKind kind) {
  switch (kind) {
    case SubjectKind::id_token: return "id_token";
    case SubjectKind::refresh_token: return "refresh_token";
    case SubjectKind::access_token: return "access_token";
  }
  return "id_token";
}

Task<Subject> read_subject(SubjectRequest r) {
  if (r.kind == SubjectKind::id_token) co_return from_id_token(r);
  Task<Subject> reading = r.kind == SubjectKind::refresh_token ? from_refresh_token(r) : from_access_token(r);
  Result<Subject> subject = co_await reading;
  co_return subject;
}

Task<void> load_person(const tenant::Here& here, const tenant::Client& caller, const identity::Users& users,
                       const identity::Sessions& sessions, Subject& subject) {
  std::string user_id = subject.user_id;
  CO_TRY(subject.user, co_await users.find(here, std::move(user_id)));
  if (!subject.user) co_return ok();
  if (subject.connection.empty()) subject.connection = connection_of(*here, caller, *subject.user);
  const identity::User& user = *subject.user;
  CO_TRY(subject.locked, co_await oauth::is_locked(here, user, users));
  if (!subject.sid.empty()) {
    std::string sid = subject.sid;
    CO_TRY(subject.session, co_await sessions.find(here, std::move(sid)));
  }
  co_return ok();
}

}  // namespace mandate::delegation
