#include "oauth/authorize/asked.h"
#include "oauth/shown.h"

namespace mandate::oauth {

Result<void> check_client(Asked& asked) {
  if (asked.request.client_id.empty())
    return Error(Code::invalid_request, "Missing required parameter: client_id", "client");
  asked.client = asked.here->client(asked.request.client_id);
  if (!asked.client)
    return Error(Code::invalid_request, "Unknown client: " + shown(asked.request.client_id), "unknown client");
  if (!asked.client->enabled)
    return Error(Code::access_denied, "The client is disabled: " + asked.request.client_id,
                 "client disabled");
  return ok();
}

}  // namespace mandate::oauth
