#include "oauth/authorize/asked.h"
#include "oauth/redirect_uri.h"
#include "tenant/cors.h"

namespace mandate::oauth {

/// Tokens never travel in a query (OA-9). web_message goes to an origin of the client only (SE-8).
Result<void> check_response_mode(Asked& asked) {
  const std::string& mode = asked.request.response_mode;
  asked.mode = asked.front_channel_tokens() ? Mode::fragment : Mode::query;
  if (mode.empty()) return ok();
  if (mode == "fragment") {
    asked.mode = Mode::fragment;
  } else if (mode == "form_post") {
    asked.mode = Mode::form_post;
  } else if (mode == "query") {
    if (asked.front_channel_tokens())
      return Error(Code::invalid_request, "response_mode 'query' cannot carry tokens.", "response_mode");
  } else if (mode == "web_message") {
    const std::string origin = web_origin(asked.request.redirect_uri);
    if (origin.empty() || !tenant::origin_allowed(*asked.client, origin, true))
      return Error(Code::invalid_request, "The origin is not allowed for response_mode 'web_message'.",
                   "response_mode origin");
    asked.mode = Mode::web_message;
  } else {
    return Error(Code::invalid_request, "Unsupported response mode.", "response_mode");
  }
  return ok();
}

}  // namespace mandate::oauth
