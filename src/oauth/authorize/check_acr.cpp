#include "oauth/acr.h"
#include "oauth/authorize/asked.h"
#include "oauth/scopes.h"

namespace mandate::oauth {

/// One of the classes asked for must be within reach, or no login could ever satisfy the app (OA-10).
Result<void> check_acr(Asked& asked) {
  const std::vector<std::string> classes = scopes_of(asked.request.acr_values);
  if (classes.empty() || has_scope(classes, acr::kOneFactor)) return ok();
  return Error(Code::unmet_authentication_requirements, "None of the acr_values can be met.", "acr_values");
}

}  // namespace mandate::oauth
