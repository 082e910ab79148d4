#include "oauth/authorize/asked.h"

namespace mandate::oauth {

/// `state` is opaque and comes back byte for byte, up to 2,000 characters (identity-wire 0.3 #12).
Result<void> check_state(Asked& asked) {
  constexpr std::size_t kLongest = 2000;
  if (asked.request.state.size() <= kLongest) return ok();
  asked.request.state.clear();
  return Error(Code::invalid_request, "The state parameter is too long.", "state");
}

}  // namespace mandate::oauth
