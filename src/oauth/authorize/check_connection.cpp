#include "identity/login/choose.h"
#include "oauth/authorize/asked.h"

namespace mandate::oauth {

Result<void> check_connection(Asked& asked) {
  TRY([[maybe_unused]] const identity::Choice choice,
      identity::choose(*asked.here, *asked.client, asked.request.connection));
  return ok();
}

}  // namespace mandate::oauth
