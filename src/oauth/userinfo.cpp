#include "http/params.h"
#include "oauth/answers.h"
#include "oauth/bearer.h"
#include "oauth/doors.h"
#include "oauth/scopes.h"

namespace mandate::oauth {
namespace {

JsonObject profile_of(const tenant::Tenant& tenant, const Bearer& bearer) {
  JsonObject out;
  if (bearer.token.legacy && tenant.flag(kLegacyProfileFlag)) {
    out = identity::legacy_profile(bearer.user);
    out["clientID"] = bearer.token.client_id;
    out["global_client_id"] = tenant.global_id();
  } else {
    out = identity::standard_claims(bearer.user, bearer.token.scopes);
  }
  out["sub"] = bearer.user.user_id;
  return out;
}

/// A token in a URL ends up in histories and logs: only for clients whose old SDK knows no other way
/// (identity-wire 0.8).
Result<void> query_allowed(const tenant::Here& here, const Bearer& bearer) {
  const tenant::Client* client = here->client(bearer.token.client_id);
  if (client && client->query_tokens) return ok();
  return Error(Code::invalid_token, "The access token must not be in the query.", "query_tokens is off");
}

Task<Bearer> load(const Deps& deps, const tenant::Here& here, const http::Request& request,
                  const http::Params& params) {
  bool in_query = false;
  CO_TRY(std::string text, bearer_of(request, params, in_query));
  std::string issuer = tenant::issuer_of(*here, request);
  CO_TRY(Bearer bearer, co_await person_of(deps, here, std::move(issuer), std::move(text)));
  if (in_query) CO_CHECK(query_allowed(here, bearer));
  if (!bearer.token.legacy && !has_scope(bearer.token.scopes, "openid"))
    co_return Error(Code::insufficient_scope, "The access token lacks the scope openid.", "openid");
  co_return bearer;
}

}  // namespace

Task<http::Response> userinfo(const Deps& deps, http::Request& request) {
  CO_TRY(const ProfileDoor door, open_profile_door(deps, request));
  if (door.answered) co_return *door.answered;
  const tenant::Here& here = door.here;
  const Result<Bearer> bearer = co_await load(deps, here, request, door.params);
  if (!bearer.ok()) {
    deps.log.debug("oauth.userinfo.refused", {{"detail", bearer.error().detail}});
    co_return finish(bearer_error(bearer.error()), request, *here, nullptr, &door.rate);
  }
  const tenant::Client* client = here->client(bearer->token.client_id);
  co_return finish(http::Response::json(200, Json(profile_of(*here, *bearer))), request, *here, client, &door.rate);
}

}  // namespace mandate::oauth
