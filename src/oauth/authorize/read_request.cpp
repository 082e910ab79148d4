#include "oauth/authorize/read_request.h"

#include <charconv>

namespace mandate::oauth {

void read_request(Asked& asked, const http::Params& params) {
  const auto text = [&params](std::string_view name) { return std::string(params.get(name)); };
  identity::AuthRequest& request = asked.request;
  request.client_id = text("client_id");
  request.redirect_uri = text("redirect_uri");
  request.response_type = text("response_type");
  request.response_mode = text("response_mode");
  request.scope = text("scope");
  request.state = text("state");
  request.nonce = text("nonce");
  request.audience = params.has("audience") ? text("audience") : text("resource");
  request.connection = text("connection");
  request.prompt = text("prompt");
  request.login_hint = text("login_hint");
  request.code_challenge = text("code_challenge");
  request.device = text("device");
  request.acr_values = text("acr_values");
  if (params.has("protocol")) request.protocol = text("protocol");
  asked.code_challenge_method = text("code_challenge_method");
  const std::string_view max_age = params.get("max_age");
  std::int64_t seconds = -1;
  const auto [end, error] = std::from_chars(max_age.data(), max_age.data() + max_age.size(), seconds);
  constexpr std::int64_t kLongest = 10LL * 365 * 86'400;
  if (!max_age.empty() && error == std::errc() && end == max_age.data() + max_age.size() && seconds >= 0)
    request.max_age = std::min(seconds, kLongest);
}

Result<void> check_form(const http::Params& params) {
  CHECK_OK(params.refuse_repeated({"response_type", "response_mode", "scope", "state", "nonce", "audience",
                                   "connection", "prompt", "max_age", "login_hint", "code_challenge",
                                   "code_challenge_method", "device", "id_token_hint", "acr_values", "request", "request_uri"}));
  // OIDC Core §3.1.2.6; nothing is fetched (OA-11).
  if (params.has("request"))
    return Error(Code::request_not_supported, "Request objects are not supported.", "request object");
  if (params.has("request_uri"))
    return Error(Code::request_uri_not_supported, "Request objects are not supported.", "request object");
  if (params.has("max_age") &&
      params.get("max_age").find_first_not_of("0123456789") != std::string_view::npos)
    return Error(Code::invalid_request, "max_age must be a number of seconds.", "max_age");
  return ok();
}

}  // namespace mandate::oauth
