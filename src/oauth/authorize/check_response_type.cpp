#include "base/url.h"
#include "oauth/authorize/asked.h"
#include "oauth/scopes.h"
#include "oauth/shown.h"

namespace mandate::oauth {
namespace {

Error not_allowed(std::string_view grant) {
  return Error(Code::unauthorized_client,
               "Grant type '" + std::string(grant) + "' not allowed for the client.", "response_type");
}

}  // namespace

/// Any combination of code, token and id_token, in any order; absent means code. A front-channel token needs
/// the client's implicit switch, a code its authorization_code (OA-9).
Result<void> check_response_type(Asked& asked) {
  asked.code = asked.token = asked.id_token = false;
  for (const std::string& word : scopes_of(asked.request.response_type)) {
    if (word == "code")
      asked.code = true;
    else if (word == "token")
      asked.token = true;
    else if (word == "id_token")
      asked.id_token = true;
    else
      return Error(Code::unsupported_response_type, "Unsupported response type: " + shown(word), "response_type");
  }
  if (!asked.front_channel_tokens()) asked.code = true;
  if (asked.code && !asked.client->allows(tenant::grant::kAuthorizationCode))
    return not_allowed(tenant::grant::kAuthorizationCode);
  if (asked.front_channel_tokens() && !asked.client->allows(tenant::grant::kImplicit))
    return not_allowed(tenant::grant::kImplicit);
  return ok();
}

}  // namespace mandate::oauth
