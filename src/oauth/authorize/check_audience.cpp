#include "oauth/authorize/asked.h"
#include "oauth/shown.h"

namespace mandate::oauth {

/// Absent: the tenant's default_audience, else no API at all. {issuer}userinfo means no API too.
Result<void> check_audience(Asked& asked) {
  if (asked.request.audience.empty()) asked.request.audience = asked.here->default_audience;
  const std::string& audience = asked.request.audience;
  asked.api = nullptr;
  if (audience.empty() || audience == asked.issuer + "userinfo") return ok();
  asked.api = asked.here->api(audience);
  if (!asked.api) return Error(Code::invalid_target, "Service not found: " + shown(audience), "audience");
  return ok();
}

}  // namespace mandate::oauth
