#include "oauth/bearer.h"

#include "base/url.h"
#include "oauth/access_tokens.h"
#include "oauth/locked.h"

namespace mandate::oauth {
namespace {

Error bad(std::string detail) {
  return Error(Code::invalid_token, "The access token is not valid.", std::move(detail));
}

}  // namespace

Result<std::string> bearer_of(const http::Request& request, const http::Params& params, bool& in_query) {
  const std::string_view header = request.headers.get("authorization");
  const bool has_header = header.size() > 7 && iequals(header.substr(0, 7), "bearer ");
  const std::string_view parameter = params.get("access_token");
  in_query = false;
  if (has_header && !parameter.empty())
    return Error(Code::invalid_request, "More than one access token.", "two tokens");
  CHECK_OK(params.refuse_repeated({"access_token"}));
  if (has_header) return std::string(header.substr(7));
  if (parameter.empty()) return bad("none");
  in_query = http::Params::of_query(request.query).has("access_token");
  return std::string(parameter);
}

Task<Bearer> person_of(const Deps& deps, const tenant::Here& here, std::string issuer, std::string token) {
  Bearer out;
  CO_TRY(out.token, co_await read_access_token(here, issuer, std::move(token), deps.clock.now_ms()));
  const std::string userinfo = issuer + "userinfo";
  if (!for_audience(out.token, userinfo)) co_return bad("not for userinfo");
  if (out.token.user_id.empty()) co_return bad("no person");
  std::string user_id = out.token.user_id;
  CO_TRY(std::optional<identity::User> user, co_await deps.users.find(here, std::move(user_id)));
  if (!user || user->blocked || out.token.user_epoch < user->epoch) co_return bad("the person");
  CO_TRY(const bool locked, co_await is_locked(here, *user, deps.users));
  if (locked) co_return bad("locked");
  out.user = std::move(*user);
  co_return out;
}

}  // namespace mandate::oauth
