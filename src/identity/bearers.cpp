// Who is calling, with what was learnt remembered.
#include "base/loop.h"
#include "base/url.h"
#include "identity/bearer.h"

namespace mandate::identity {
namespace {

/// X-ZUMO-AUTH of the mobile clients, Authorization: Bearer of today's.
std::string_view token_of(const http::Request& request) {
  const std::string_view zumo = request.headers.get("X-ZUMO-AUTH");
  if (!zumo.empty()) return zumo;
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view authorization = request.headers.get("Authorization");
  if (authorization.size() <= kScheme.size() || !iequals(authorization.substr(0, kScheme.size()), kScheme)) return {};
  return authorization.substr(kScheme.size());
}

bool proves(const Secret& key, std::string_view given) { return !key.empty() && !given.empty() && secret_equal(key, given); }

bool proves(const std::vector<Secret>& keys, std::string_view given) {
  return std::ranges::any_of(keys, [&](const Secret& key) { return proves(key, given); });
}

}  // namespace

Result<Bearers::Known> Bearers::known(const tenant::Here& here, const tenant::Service& service) {
  const Loop* loop = Loop::current();
  PerLoop* mine = loop ? &loops_[loop->index() % loops_.size()] : nullptr;
  if (mine)
    if (const auto found = mine->find(&service); found != mine->end()) {
      if (const Millis until = found->second.keys->until; !until || clock_.now_ms() < until) return found->second;
      mine->erase(found);  // a retired key's time is over, and what it verified goes with it
    }
  TRY(ServiceKeys keys, open_service_keys(*here, service, vault_, clock_.now_ms()));
  Known fresh{here.config, std::make_shared<const ServiceKeys>(std::move(keys)), std::make_shared<jose::VerifiedCache<Bearer>>(),
              here.store->changes("users")};
  if (mine) {
    // Snapshots that were replaced go; what they verified must be verified anew.
    std::erase_if(*mine, [&](const auto& entry) {
      return entry.second.snapshot != here.config && entry.second.snapshot->name == here->name;
    });
    mine->emplace(&service, fresh);
  }
  return fresh;
}

Result<std::shared_ptr<const Bearer>> Bearers::verified(const Known& known, std::string_view issuer, const http::Request& request,
                                                        std::string_view token) {
  const std::int64_t now = clock_.now_seconds();
  // Issuer and origin may follow the Host field, so a token belongs to the place it was shown at.
  const std::string origin = request.root();
  if (auto found = known.verified->find(origin, token, 0, now)) return found;
  const BearerPlace place{*known.snapshot, *known.keys, issuer, origin};
  TRY(Bearer bearer, read_bearer(place, token, now));
  const std::int64_t exp = bearer.exp;
  return known.verified->put(origin, token, 0, exp, std::move(bearer));
}

Task<void> Bearers::still_holds(const tenant::Here& here, const Known& known, std::shared_ptr<const Bearer> bearer) {
  const Error over(Code::unauthorized, "The authentication token has expired.", "revoked: user or epoch");
  std::string subject = bearer->subject;
  // Looked at before the read: a commit that comes in between makes the next request read again.
  const std::uint64_t count = known.user_changes ? known.user_changes->load(std::memory_order_acquire) : 0;
  Result<std::optional<Users::Standing>> found = co_await users_.standing(here, std::move(subject));
  CO_TRY(const std::optional<Users::Standing> person, std::move(found));
  if (!person || person->blocked) co_return over;
  if (bearer->user_epoch && *bearer->user_epoch < person->epoch) co_return over;
  bearer->held_at = count;
  co_return ok();
}

Task<Principal> Bearers::identify_token(const tenant::Here& here, const tenant::Service& service, const http::Request& request,
                                        std::string token) {
  const tenant::Here mine = here;
  CO_TRY(const Known known, this->known(mine, service));
  const std::string issuer = tenant::issuer_of(*mine, request);
  CO_TRY(const std::shared_ptr<const Bearer> bearer, verified(known, issuer, request, token));
  if (bearer->ours && bearer->tenant_epoch && *bearer->tenant_epoch < mine->epoch)
    co_return Error(Code::unauthorized, "The authentication token has expired.", "revoked: tenant epoch");
  const bool held = known.user_changes && bearer->held_at == known.user_changes->load(std::memory_order_acquire);
  if (bearer->ours && !held) {
    Result<void> holds = co_await still_holds(mine, known, bearer);
    CO_CHECK(std::move(holds));
  }
  const auto& claims = bearer->principal.claims;
  if (bearer->ours && is_revoked_ && claims && claims->contains("jti")) {
    Task<bool> asking = is_revoked_(*mine.store, claims);
    CO_TRY(const bool revoked, co_await asking);
    if (revoked) co_return Error(Code::unauthorized, "The authentication token has expired.", "revoked: token");
  }
  co_return bearer->principal;
}

Task<Principal> Bearers::identify(const tenant::Here& here, const tenant::Service& service, const http::Request& request) {
  Principal principal;
  const std::string_view token = token_of(request);
  if (!token.empty()) {
    std::string text(token);
    Result<Principal> found = co_await identify_token(here, service, request, std::move(text));
    CO_TRY(principal, std::move(found));
  }
  const std::string_view master = request.headers.get("X-ZUMO-MASTER");
  const std::string_view application = request.headers.get("X-ZUMO-APPLICATION");
  if (master.empty() && application.empty()) co_return principal;
  CO_TRY(const Known known, this->known(here, service));
  if (proves(known.keys->master_key, master) || proves(known.keys->previous_master_key, master) || proves(known.keys->retired_master_keys, master)) principal.level = Level::admin;
  else if (principal.level == Level::anonymous && (proves(known.keys->application_key, application) || proves(known.keys->retired_application_keys, application))) principal.level = Level::application;
  co_return principal;
}

}  // namespace mandate::identity
