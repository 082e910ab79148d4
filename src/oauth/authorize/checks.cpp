// The table of contents of a request for authorization.
#include "oauth/authorize/asked.h"

namespace mandate::oauth {

Result<void> check_where(Asked& asked) {
  CHECK_OK(check_client(asked));
  CHECK_OK(check_redirect_uri(asked));
  return ok();
}

Result<void> check_what(Asked& asked) {
  // The mode first: it says where the other refusals go.
  const Result<void> types = check_response_type(asked);
  const Result<void> mode = check_response_mode(asked);
  CHECK_OK(check_state(asked));
  CHECK_OK(types);
  CHECK_OK(mode);
  CHECK_OK(check_pkce(asked));
  CHECK_OK(check_audience(asked));
  CHECK_OK(check_scope(asked));
  CHECK_OK(check_prompt(asked));
  CHECK_OK(check_nonce(asked));
  CHECK_OK(check_acr(asked));
  return ok();
}

}  // namespace mandate::oauth
