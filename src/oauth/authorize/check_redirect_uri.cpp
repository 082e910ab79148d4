#include "oauth/authorize/asked.h"
#include "oauth/redirect_uri.h"
#include "oauth/shown.h"

namespace mandate::oauth {

Result<void> check_redirect_uri(Asked& asked) {
  identity::AuthRequest& request = asked.request;
  if (request.redirect_uri.empty()) {
    request.redirect_uri_given = false;
    request.redirect_uri = default_redirect_uri(*asked.client);
    if (request.redirect_uri.empty())
      return Error(Code::invalid_request, "Missing required parameter: redirect_uri",
                   "no redirect_uri and no callback");
  }
  if (!redirect_uri_allowed(*asked.client, asked.issuer, request.redirect_uri))
    return Error(
        Code::invalid_request,
        "The redirect_uri is not a callback of client " + request.client_id + ": " + shown(request.redirect_uri, 300),
        "Callback URL mismatch");
  return ok();
}

}  // namespace mandate::oauth
