#include "oauth/authorize/authorize.h"

#include <algorithm>

#include "identity/login/auth_request.h"
#include "oauth/authorize/answer.h"
#include "oauth/authorize/asked.h"
#include "oauth/authorize/consents.h"
#include "oauth/authorize/decide.h"
#include "oauth/authorize/read_request.h"
#include "oauth/authorize/respond.h"
#include "oauth/issuer.h"

namespace mandate::oauth {
namespace {

http::Response refuse_page(const Deps& deps, const Asked& asked, const Error& error) {
  deps.log.warn("oauth.authorize.page", {{"client_id", asked.request.client_id},
                                         {"redirect_uri", asked.request.redirect_uri},
                                         {"detail", error.detail}});
  return error_page(error, error.code == Code::access_denied ? 403 : 400);
}

/// Whom an id_token_hint of ours names. A hint we cannot read names nobody.
std::string hinted_user(const Deps& deps, const Asked& asked, std::string_view hint) {
  if (hint.empty()) return {};
  // An expired one still says who was meant (OIDC Core §3.1.2.1).
  const Result<jose::Parts> parts = jose::parse_compact(hint);
  if (!parts.ok()) return {};
  const Result<Json> payload = parse_json(parts->payload);
  if (!payload.ok() || !payload->is_object()) return {};
  const std::int64_t exp = integer_member(payload->get_object(), "exp").value_or(0);
  const std::int64_t within = std::min(deps.clock.now_seconds(), std::max<std::int64_t>(exp, 1) - 1);
  const Result<jose::Claims> claims =
      verify_id_token(asked.here, *asked.client, deps.tenants.vault(), asked.issuer, hint, within);
  return claims.ok() ? std::string(claims->sub()) : std::string();
}

/// Each login begun is a row of the store until it ends, so one address begins only so many (security 0.2).
http::Response too_many_begun(const tenant::RateLimiter::Answer& rate) {
  http::Response response = error_page(
      Error(Code::too_many_requests, "Too many sign-ins were begun from your address. Please wait a minute and try again."),
      429);
  tenant::add_rate_headers(response, rate);
  return response;
}

/// Off to a page of ours: the request is stored, so that whatever step comes next finds it.
Task<http::Response> leave(const Deps& deps, const http::Request& request, const Asked& asked,
                           Missing missing, const Present& present, int status) {
  const tenant::RateLimiter::Answer rate =
      deps.limiter.take("oauth.authorize", request.peer, deps.rates.authorize);
  if (!rate.allowed) co_return too_many_begun(rate);
  identity::AuthRequest login = asked.request;
  if (missing == Missing::consent) {
    login.user_id = present.session->user_id;
    login.used_connection = present.session->connection;
    login.authenticated_at = present.session->auth_time;
  }
  std::string cookie;
  CO_TRY(
      const identity::AuthRequest filed,
      co_await identity::begin_login(asked.here, request, std::move(login), deps.clock, deps.random, cookie));
  http::Response response = http::Response::redirect(
      status, missing == Missing::consent ? identity::resume_url(filed) : identity::login_url(filed));
  if (!cookie.empty()) response.headers.add("Set-Cookie", cookie);
  response.no_store();
  co_return response;
}

}  // namespace

Task<http::Response> authorize(const Deps& deps, http::Request& request) {
  const int status = request.method == http::Method::post ? 303 : 302;
  CO_TRY(tenant::Here here, deps.tenants.by_host(request.host));
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) co_return error_page(params.error(), http_status(params.error().code));

  Asked asked;
  asked.here = here;
  asked.issuer = tenant::issuer_of(*here, request);
  read_request(asked, *params);
  Result<void> where = params->refuse_repeated({"client_id", "redirect_uri"});
  if (where.ok()) where = check_where(asked);
  if (!where.ok()) co_return refuse_page(deps, asked, where.error());
  const Result<void> what = check_what(asked);
  const Result<void> form = check_form(*params);
  if (!form.ok()) co_return error_answer(asked, form.error(), status);
  if (!what.ok()) co_return error_answer(asked, what.error(), status);
  const Result<void> connection = check_connection(asked);
  if (!connection.ok()) co_return refuse_page(deps, asked, connection.error());

  asked.request.hinted_user = hinted_user(deps, asked, params->get("id_token_hint"));
  const Result<Present> present = co_await who_is_there(deps, request, here);
  if (!present.ok()) co_return error_answer(asked, present.error(), status);
  bool consent_missing = false;
  if (present->user) {
    std::string user_id = present->user->user_id;
    const auto given = co_await consented(asked, std::move(user_id));
    if (!given.ok()) co_return error_answer(asked, given.error(), status);
    consent_missing = needs_consent(asked, *given);
  }
  const Missing missing = what_is_missing(asked, *present, consent_missing, deps.clock.now_ms());
  if (missing == Missing::nothing) {
    Result<http::Response> answered =
        co_await respond(deps, request, asked, *present->user, *present->session, status);
    co_return answered;
  }
  if (asked.prompt_none) co_return error_answer(asked, missing_error(missing), status);
  Result<http::Response> left = co_await leave(deps, request, asked, missing, *present, status);
  if (!left.ok()) co_return error_answer(asked, left.error(), status);
  co_return left;
}

}  // namespace mandate::oauth
