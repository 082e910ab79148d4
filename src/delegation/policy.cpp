#include "delegation/policy.h"

#include <algorithm>

#include "oauth/shown.h"

namespace mandate::delegation {
namespace {

using tenant::Client;
using tenant::DelegationGrant;
using tenant::Tenant;

/// Add-ons one logs in with: words of the original that never were client ids (2.2 #5).
constexpr std::string_view kSsoAddons[] = {"samlp", "wsfed", "box", "concur", "dropbox", "salesforce", "slack", "office365", "zendesk"};

constexpr std::int64_t kLeeway = 60;  ///< with which jose::Expectation honours a subject, seconds

bool lists(const std::vector<std::string>& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

/// The target's first active add-on, or "app" when none is.
std::string_view first_addon(const Client* target, bool& several) {
  std::string_view first = kApp;
  for (const std::string_view type : kAddonOrder) {
    if (!target || !addon_on(*target, type)) continue;
    if (first == kApp) first = type;
    else several = true;
  }
  return first;
}

bool fits(const DelegationGrant& line, const Client& caller, const Target& target, std::string_view subject_kind) {
  if (line.source != caller.client_id && (line.source != "*" || !caller.is_first_party)) return false;
  if (line.target != target.id) return false;
  const bool type = line.api_types.empty() || lists(line.api_types, target.type) || (target.type == kApp && lists(line.api_types, "auth0"));
  return type && (line.subject_kinds.empty() || lists(line.subject_kinds, subject_kind));
}

}  // namespace

bool addon_on(const Client& target, std::string_view type) { return type == kApp || target.addons.contains(type); }

Result<Target> resolve_target(const Tenant& tenant, const Client& caller, std::string_view target, std::string_view api_type) {
  const bool known_type = api_type == kApp || api_type == "auth0" || std::ranges::find(kAddonOrder, api_type) != std::end(kAddonOrder);
  // The newer Windows SDKs put the tutorial's first argument, a client id, into api_type (2.2 #1). A word that is no
  // client's is a target too, one that does not exist: else the answer would tell which ids do (DG-2).
  const bool type_elsewhere = std::ranges::find(kSsoAddons, api_type) != std::end(kSsoAddons);
  if (!known_type && !type_elsewhere && !api_type.empty() && target.empty()) std::swap(target, api_type);
  else if (!known_type && !api_type.empty()) return Error(Code::invalid_request, "Unknown api_type.", "api_type");

  Target out;
  out.id = target.empty() ? caller.client_id : oauth::shown(target, 256);
  out.client = tenant.client(out.id);
  if (api_type.empty()) out.type = first_addon(out.client, out.several);
  else if (api_type == "auth0" || api_type == kApp) out.type = kApp;
  else out.type = *std::ranges::find(kAddonOrder, api_type);
  return out;
}

Verdict may_delegate(const Tenant& tenant, const Client& caller, const Target& target, std::string_view subject_kind) {
  Verdict v;
  if (!target.client) return v.why = "the target is no client of this tenant", v;
  if (!target.client->enabled) return v.why = "the target is disabled", v;
  for (const DelegationGrant& line : tenant.delegation_grants) {
    if (!fits(line, caller, target, subject_kind)) continue;
    v.allowed = v.own_line = true;
    v.why = "a line of delegation_grants names " + (line.source == "*" ? std::string("every client") : line.source);
    v.scopes = line.scopes;
    v.max_lifetime = line.max_lifetime;
    v.outlives_subject = line.lifetime_rule == "target";
    return v;
  }
  const bool named = target.client->allowed_clients_mode == "listed" && lists(target.client->allowed_clients, caller.client_id);
  if (named) {
    v.allowed = true;
    v.why = "the target's allowed_clients name the caller";
  } else if (!caller.is_first_party) {
    v.why = "a third-party client must be named by the target";
  } else if (target.client == &caller || target.id == caller.client_id) {
    v.allowed = true;
    v.why = "a client may renew for itself";
  } else if (target.client->allowed_clients_mode == "all") {
    v.allowed = true;
    v.why = "the target allows all clients";
  } else {
    v.why = "no line of delegation_grants and no entry of the target's allowed_clients lets the caller come";
  }
  return v;
}

Error not_allowed(std::string_view caller, std::string_view target, std::string why) {
  return Error(Code::access_denied, std::string(caller) + " is not allowed to act at " + std::string(target) + ".", std::move(why));
}

std::int64_t lifetime(std::int64_t target_lifetime, const Verdict& verdict, std::int64_t subject_left, bool strict) {
  std::int64_t seconds = target_lifetime;
  if (verdict.max_lifetime > 0) seconds = std::min(seconds, verdict.max_lifetime);
  if (subject_left <= 0 || (verdict.outlives_subject && !strict)) return seconds;
  if (!strict && seconds - subject_left <= std::min(kLeeway, seconds / 100)) return seconds;
  return std::min(seconds, subject_left);
}

}  // namespace mandate::delegation
