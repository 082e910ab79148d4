#include "oauth/authorize/decide.h"

#include <algorithm>

#include "identity/login/choose.h"

namespace mandate::oauth {
namespace {

bool connection_serves(const Asked& asked, const identity::Session& session) {
  const auto allowed = asked.here->connections_of(*asked.client);
  const bool of_client = std::ranges::any_of(
      allowed, [&](const tenant::Connection* c) { return c->enabled && c->name == session.connection; });
  if (!of_client) return false;
  if (asked.request.connection.empty()) return true;
  const Result<identity::Choice> named =
      identity::choose(*asked.here, *asked.client, asked.request.connection);
  if (!named.ok()) return false;
  if (named->straight) return named->straight->name == session.connection;
  return std::ranges::any_of(named->offered,
                             [&](const tenant::Connection* c) { return c->name == session.connection; });
}

/// The login step of this very request made the session.
bool just_logged_in(const Asked& asked, const identity::Session& session) {
  return !asked.fresh && asked.request.user_id == session.user_id && asked.request.authenticated_at != 0;
}

}  // namespace

bool another_person(const Asked& asked, const Present& present) {
  return present.session && !asked.request.hinted_user.empty() && asked.request.hinted_user != present.session->user_id;
}

bool another_logged_in(const Asked& asked, const Present& present) {
  return another_person(asked, present) && just_logged_in(asked, *present.session);
}

Task<Present> who_is_there(const Deps& deps, const http::Request& request, const tenant::Here& here) {
  Present out;
  CO_TRY(out.session, co_await deps.sessions.current(here, request));
  if (!out.session) co_return out;
  std::string user_id = out.session->user_id;
  CO_TRY(out.user, co_await deps.users.find(here, std::move(user_id)));
  if (!out.user) out.session.reset();
  co_return out;
}

Missing what_is_missing(const Asked& asked, const Present& present, bool consent_missing, Millis now) {
  if (!present.session) return Missing::login;
  const identity::Session& session = *present.session;
  const bool new_login = just_logged_in(asked, session);
  if (asked.prompt_login && !new_login) return Missing::login;
  if (another_person(asked, present) && !new_login) return Missing::login;
  if (!connection_serves(asked, session) && !new_login) return Missing::login;
  const std::int64_t max_age = asked.request.max_age;
  if (max_age >= 0 && !new_login && now - session.auth_time > max_age * 1000) return Missing::login;
  return consent_missing ? Missing::consent : Missing::nothing;
}

Error missing_error(Missing missing) {
  if (missing == Missing::consent) return Error(Code::consent_required, "Consent required", "prompt=none");
  return Error(Code::login_required, "Login required", "prompt=none");
}

}  // namespace mandate::oauth
