#include "delegation/exchange.h"

#include <algorithm>

#include "oauth/may_issue.h"
#include "oauth/scopes.h"
#include "tenant/audit.h"

namespace mandate::delegation {
namespace {

Counter& outcome_counter(Metrics& metrics, std::string_view door, std::string_view outcome) {
  return metrics.counter("mandate_delegation_exchanges_total", "Delegations by door and outcome",
                         {{"door", std::string(door)}, {"outcome", std::string(outcome)}});
}

/// What the gate says of a person or session, in the words of these doors (DG-4): as a bad token, but for a block.
Error as_bad_subject(const Error& gate, SubjectKind kind) {
  if (gate.code == Code::unauthorized || gate.code == Code::unauthorized_client || gate.code == Code::server_error) return gate;
  if (kind == SubjectKind::refresh_token) return Error(Code::invalid_grant, "Unknown or invalid refresh token.", gate.detail);
  return Error(Code::invalid_token, "invalid " + std::string(name(kind)), gate.detail);
}

bool may_act(const JsonObject& rule, const tenant::Client& caller) {
  if (rule.empty()) return true;
  if (const auto client = text_member(rule, "client_id")) return *client == caller.client_id;
  return text_member(rule, "sub") == caller.client_id + "@clients";
}

}  // namespace

Scopes cut_scopes(const std::vector<std::string>& asked, const Subject& subject, const tenant::Client& caller, const Verdict& verdict) {
  Scopes out;
  out.passthrough = asked.empty() || oauth::has_scope(asked, "passthrough");
  const bool has_list = subject.kind != SubjectKind::id_token;  // an id_token's claims are its scopes; the add-on cuts them
  const bool whole_profile = !caller.oidc_conformant && oauth::has_scope(subject.scopes, "profile");
  const std::vector<std::string>& wanted = out.passthrough && has_list ? subject.scopes : asked;
  for (const std::string& scope : wanted) {
    if (scope == "passthrough" || scope == "offline_access" || oauth::has_scope(out.granted, scope)) continue;
    const bool held = !has_list || oauth::has_scope(subject.scopes, scope) || whole_profile;
    const bool open = verdict.scopes.empty() || oauth::has_scope(verdict.scopes, scope) || scope == "openid";
    if (held && open) out.granted.push_back(scope);
  }
  if (out.passthrough && !has_list && !verdict.scopes.empty()) {
    out.granted = verdict.scopes;  // everything the token had, but no more than the line lets through
    out.passthrough = false;
  }
  return out;
}

oauth::Issue gate_of(const ExchangeRequest& request, const Subject* subject) {
  oauth::Issue issue;
  issue.tenant = &*request.here;
  issue.client = &request.caller;
  issue.grant = request.grant;
  if (!subject) return issue;
  issue.needs_user = true;
  issue.user = subject->user ? &*subject->user : nullptr;
  issue.connection = subject->connection;
  issue.needs_session = subject->needs_session;
  issue.session = subject->session ? &*subject->session : nullptr;
  issue.user_epoch = subject->user_epoch;
  issue.tenant_epoch = subject->tenant_epoch;
  issue.locked = subject->locked;
  return issue;
}

Exchange::Exchange(const Deps& deps)
    : deps_(deps),
      legacy_ok_(outcome_counter(deps.metrics, "auth0", "granted")),
      legacy_refused_(outcome_counter(deps.metrics, "auth0", "refused")),
      modern_ok_(outcome_counter(deps.metrics, "rfc8693", "granted")),
      modern_refused_(outcome_counter(deps.metrics, "rfc8693", "refused")) {
  addons_["app"] = app_addon(deps.tenants.vault(), deps.pool);
  addons_["wams"] = wams_addon(deps.tenants.vault());
}

void Exchange::count(std::string_view door, bool granted) {
  (door == "auth0" ? granted ? legacy_ok_ : legacy_refused_ : granted ? modern_ok_ : modern_refused_).add();
}

Task<void> Exchange::refused(const tenant::Here& here, const http::Request& request, std::string client_id, std::string target,
                             std::string_view door, Error error) {
  count(door, false);
  tenant::Event event;
  event.type = "delegation.refused";
  event.client_id = std::move(client_id);
  event.target = std::move(target);
  event.reason = error.detail.empty() ? std::string(name(error.code)) : std::string(name(error.code)) + ": " + error.detail;
  event.details["door"] = door;
  Result<void> filed = co_await tenant::audit(here, std::move(event), request, deps_.clock);
  co_return filed;
}

Task<Exchanged> Exchange::issue(const ExchangeRequest& r, const Subject& subject, const Target& target, const Verdict& verdict) {
  Addon& addon = *addons_.at(target.type);
  const std::int64_t now = deps_.clock.now_seconds();
  std::int64_t left = subject.exp > 0 ? std::max<std::int64_t>(subject.exp - now, 1) : 0;
  if (subject.session && subject.session->expires_at > 0) {
    const std::int64_t session_left = std::max<std::int64_t>(subject.session->expires_at / 1000 - now, 1);
    left = left > 0 ? std::min(left, session_left) : session_left;
  }
  const std::int64_t seconds = lifetime(addon.lifetime(*target.client), verdict, left, r.strict_lifetime);
  Scopes scopes = cut_scopes(r.scopes, subject, r.caller, verdict);
  const std::string issuer = tenant::issuer_of(*r.here, r.request);
  const Decision decision{r.here, r.caller, *target.client, subject, issuer, scopes.granted, scopes.passthrough, now, now + seconds, r.request.deadline};
  CO_TRY(std::string token, co_await addon.issue(decision));

  tenant::Event event;
  event.type = "delegation.ok";
  event.client_id = r.caller.client_id;
  event.user_id = subject.user_id;
  event.target = target.id;
  event.connection = subject.connection;
  event.details["door"] = r.door;
  event.details["api_type"] = target.type;
  event.details["subject"] = name(subject.kind);
  event.details["expires_in"] = seconds;
  event.details["act"] = r.caller.client_id;
  store::Batch batch;
  batch.deadline = r.request.deadline;
  batch.add(tenant::audit_row(event, r.request, deps_.clock.now_ms()));
  CO_CHECK(co_await r.here.store->mutate(std::move(batch)));
  co_return Exchanged{std::move(token), target.type, target.id, seconds, std::move(scopes.granted)};
}

Task<Exchanged> Exchange::checked(const ExchangeRequest& r, Subject& subject, tenant::RateLimiter::Answer& rate) {
  CO_CHECK(oauth::may_issue(gate_of(r, nullptr)));  // tenant, client, and the two switches of 0.8

  const Millis now = deps_.clock.now_ms();
  SubjectRequest wanted{r.here, deps_.tenants.vault(), r.caller, tenant::issuer_of(*r.here, r.request), r.kind, r.subject_token, now};
  CO_TRY(subject, co_await read_subject(std::move(wanted)));
  CO_CHECK(co_await load_person(r.here, r.caller, deps_.users, deps_.sessions, subject));
  if (Result<void> gate = oauth::may_issue(gate_of(r, &subject)); !gate.ok()) co_return as_bad_subject(gate.error(), subject.kind);
  if (!may_act(subject.may_act, r.caller)) co_return as_bad_subject(Error(Code::invalid_token, "", "may_act"), subject.kind);

  // Before the target is looked at, so that guessing targets is limited too.
  rate = deps_.limiter.take("delegation", r.here->name + "\n" + r.request.peer + "\n" + subject.user_id, deps_.per_minute);
  if (!rate.allowed)
    co_return Error(Code::too_many_requests, std::string(kTooMany), "rate");

  CO_TRY(const Target target, resolve_target(*r.here, r.caller, r.target, r.api_type));
  const Verdict verdict = may_delegate(*r.here, r.caller, target, name(subject.kind));
  if (!verdict.allowed) co_return not_allowed(r.caller.client_id, target.id, verdict.why);
  if (!addon_on(*target.client, target.type)) co_return not_allowed(r.caller.client_id, target.id, "the add-on is off");
  if (target.several)
    deps_.log.warn("delegation.several_addons", {{"tenant", r.here->name}, {"target", target.id}, {"chosen", target.type}});
  CO_CHECK(addons_.at(target.type)->ready(*r.here, *target.client));
  oauth::Issue gate = gate_of(r, &subject);
  gate.target_client = target.client;
  CO_CHECK(oauth::may_issue(gate));

  Result<Exchanged> issued = co_await issue(r, subject, target, verdict);
  co_return issued;
}

Task<Outcome> Exchange::run(const ExchangeRequest& r) {
  Subject subject;
  tenant::RateLimiter::Answer rate;
  rate.limit = rate.remaining = deps_.per_minute;
  rate.reset = deps_.clock.now_seconds();
  Result<Exchanged> result = co_await checked(r, subject, rate);
  if (result.ok()) {
    count(r.door, true);
    co_return Outcome{std::move(result), rate};
  }
  count(r.door, false);
  if (subject.user_id.empty()) {
    const tenant::RateLimiter::Answer refusals = deps_.limiter.take("delegation.refused", r.request.peer, kRefusalsPerMinute);
    if (!refusals.allowed) co_return Outcome{Error(Code::too_many_requests, std::string(kTooMany), "refusals"), refusals};
  }
  const Error& error = result.error();
  tenant::Event event;
  event.type = "delegation.refused";
  event.client_id = r.caller.client_id;
  event.user_id = subject.user_id;
  event.target = r.target.empty() ? r.api_type : r.target;
  event.connection = subject.connection;
  event.reason = error.detail.empty() ? std::string(name(error.code)) : std::string(name(error.code)) + ": " + error.detail;
  event.details["door"] = r.door;
  if (http_status(error.code) >= 500)
    deps_.log.error("delegation.failed", {{"tenant", r.here->name}, {"client", r.caller.client_id}, {"detail", error.detail}});
  Result<void> filed = co_await tenant::audit(r.here, std::move(event), r.request, deps_.clock);
  if (!filed.ok()) co_return Outcome{filed.error(), rate};
  co_return Outcome{std::move(result), rate};
}

}  // namespace mandate::delegation
