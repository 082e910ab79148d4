// Who is there, and what is still missing before an answer?
#pragma once

#include "oauth/authorize/asked.h"
#include "oauth/deps.h"

namespace mandate::oauth {

struct Present {
  std::optional<identity::Session> session;
  std::optional<identity::User> user;
};

/// The live session of this browser with its person; neither when there is none.
Task<Present> who_is_there(const Deps& deps, const http::Request& request, const tenant::Here& here);

/// The session is of another person than the id_token_hint names (OA-10).
bool another_person(const Asked& asked, const Present& present);
/// So it is even after the login that was asked for: the app gets login_required (OIDC Core §3.1.2.1).
bool another_logged_in(const Asked& asked, const Present& present);

enum class Missing { nothing, login, consent };

/// Pure but for `consent_missing`, looked up before. A session serves when it is of the connection named,
/// allowed for the client, young enough for max_age and, with prompt=login, made for this very request
/// (OA-10).
Missing what_is_missing(const Asked& asked, const Present& present, bool consent_missing, Millis now);

/// The error for prompt=none: login_required or consent_required.
Error missing_error(Missing missing);

}  // namespace mandate::oauth
