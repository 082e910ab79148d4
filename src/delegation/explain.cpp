// Why a delegation would be granted or refused: the same functions, asked one by one.
#include "delegation/exchange.h"
#include "oauth/locked.h"

namespace mandate::delegation {
namespace {

class Report {
 public:
  bool check(std::string_view what, bool good, std::string detail) {
    JsonObject line;
    line["check"] = what;
    line["ok"] = good;
    line["detail"] = std::move(detail);
    checks_.push_back(std::move(line));
    allowed_ = allowed_ && good;
    return good;
  }
  JsonObject finish() {
    JsonObject out;
    out["allowed"] = allowed_;
    return out;
  }
  JsonArray checks() { return std::move(checks_); }

 private:
  JsonArray checks_;
  bool allowed_ = true;
};

/// Which of the ways in are switched on; any one will do.
void check_switches(Report& report, const tenant::Tenant& tenant, const tenant::Client& caller) {
  using namespace tenant::grant;
  std::string open;
  for (const std::string_view grant : {kLegacyDelegationIdToken, kLegacyDelegationRefreshToken, kTokenExchange}) {
    oauth::Issue issue;
    issue.tenant = &tenant;
    issue.client = &caller;
    issue.grant = grant;
    if (oauth::may_issue(issue).ok()) open += (open.empty() ? "" : ", ") + std::string(grant);
  }
  report.check("grant types", !open.empty(),
               open.empty() ? "neither legacy delegation (tenant flag allow_legacy_delegation_grant_types and client grant) nor token exchange is on" : "on: " + open);
}

Task<std::optional<identity::User>> find_user(const Deps& deps, const tenant::Here& here, std::string name) {
  std::string id = name;
  CO_TRY(std::optional<identity::User> user, co_await deps.users.find(here, std::move(id)));
  if (user) co_return user;
  for (const auto& [connection_name, connection] : here->connections) {
    if (connection.strategy != "auth0") continue;
    std::string connection_copy = connection_name, login = name;
    Result<std::optional<identity::User>> found = co_await deps.users.find_by_login(here, std::move(connection_copy), std::move(login));
    if (found.ok() && *found) co_return std::move(*found);
  }
  co_return std::optional<identity::User>();
}

Task<void> check_user(Report& report, const Deps& deps, const tenant::Here& here, const tenant::Client& caller,
                      const std::optional<identity::User>& user) {
  if (!report.check("user", user.has_value(), user ? user->user_id : "no such user")) co_return ok();
  report.check("user not blocked", !user->blocked, user->blocked ? "blocked" : "not blocked");
  const identity::User& person = *user;
  CO_TRY(const bool locked, co_await oauth::is_locked(here, person, deps.users));
  report.check("user not locked", !locked, locked ? "locked after wrong passwords" : "not locked");
  Subject subject;
  subject.user_id = user->user_id;
  CO_CHECK(co_await load_person(here, caller, deps.users, deps.sessions, subject));
  bool open = subject.connection.empty();
  for (const tenant::Connection* c : here->connections_of(caller)) open = open || c->name == subject.connection;
  report.check("connection", open, subject.connection.empty() ? "none known" : subject.connection + (open ? " is" : " is not") + " enabled for the caller");
  co_return ok();
}

void check_addon(Report& report, const Deps& deps, const tenant::Tenant& tenant, const Target& target, const Verdict& verdict, JsonObject& out) {
  if (!report.check("add-on", addon_on(*target.client, target.type), std::string(target.type) + (addon_on(*target.client, target.type) ? " is on" : " is off")))
    return;
  std::unique_ptr<Addon> addon = target.type == kWams ? wams_addon(deps.tenants.vault()) : app_addon(deps.tenants.vault(), deps.pool);
  const Result<void> ready = addon->ready(tenant, *target.client);
  report.check("add-on settings", ready.ok(), ready.ok() ? "complete" : ready.error().hint);
  if (ready.ok()) out["lifetime_in_seconds"] = lifetime(addon->lifetime(*target.client), verdict, 0, false);
  out["outlives_subject"] = verdict.outlives_subject;
}

}  // namespace

Task<Json> explain(const Deps& deps, tenant::Here here, std::string client, std::string target_id, std::string user_name, std::string api_type) {
  Report report;
  JsonObject facts;
  report.check("tenant", here->enabled, here->enabled ? here->name + " is enabled" : here->name + " is disabled");
  const tenant::Client* caller = here->client(client);
  if (report.check("client", caller != nullptr, caller ? client : client + " is no client of this tenant")) {
    report.check("client enabled", caller->enabled, caller->enabled ? "enabled" : "disabled");
    check_switches(report, *here, *caller);
    if (!user_name.empty()) {
      CO_TRY(const std::optional<identity::User> user, co_await find_user(deps, here, user_name));
      CO_CHECK(co_await check_user(report, deps, here, *caller, user));
    }
    const Result<Target> target = resolve_target(*here, *caller, target_id, api_type);
    if (report.check("api_type", target.ok(), target.ok() ? "means " + std::string(target->type) : target.error().hint)) {
      facts["api_type"] = target->type;
      const bool known = target->client && target->client->enabled;
      report.check("target", known, target->id + (known ? " is enabled" : target->client ? " is disabled" : " is no client of this tenant"));
      std::string kinds;
      Verdict best;
      for (const SubjectKind kind : {SubjectKind::id_token, SubjectKind::refresh_token, SubjectKind::access_token}) {
        Verdict verdict = may_delegate(*here, *caller, *target, name(kind));
        if (verdict.allowed) kinds += (kinds.empty() ? "" : ", ") + std::string(name(kind));
        if (verdict.allowed || !best.allowed) best = std::move(verdict);
      }
      report.check("permission", best.allowed, best.why + (kinds.empty() ? "" : " (subject: " + kinds + ")"));
      if (known) check_addon(report, deps, *here, *target, best, facts);
    }
  }
  JsonObject out = report.finish();
  out["client"] = client;
  out["target"] = target_id;
  out["user"] = user_name;
  for (auto& [key, value] : facts) out.emplace(key, value);
  out["checks"] = report.checks();
  co_return Json(std::move(out));
}

}  // namespace mandate::delegation
