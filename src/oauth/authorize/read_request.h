// The parameters of /authorize as an AuthRequest.
#pragma once

#include "http/params.h"
#include "oauth/authorize/asked.h"

namespace mandate::oauth {

/// Fills `asked.request`; unknown parameters are nobody's business (identity-wire 0.3 #2). Never fails:
/// checks do.
void read_request(Asked& asked, const http::Params& params);

/// What cannot be put right by asking again: a parameter twice (IN-5), request objects, which we do not take
/// (OA-11).
Result<void> check_form(const http::Params& params);

}  // namespace mandate::oauth
