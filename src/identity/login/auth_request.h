// A login under way: everything /authorize learnt, stored, so that no step has to call the next one (architecture.md, Floors).
#pragma once

#include "base/json.h"
#include "base/clock.h"
#include "tenant/tenants.h"

namespace mandate::identity {

/// Written by oauth/authorize (or /login), added to by the login steps, read by /authorize/resume. 15 minutes, single use.
struct AuthRequest {
  std::string handle;        ///< unguessable; the `state` between us and ourselves
  std::string browser;       ///< binds it to the browser that began: a hash of its login cookie (SE-2)
  std::string client_id, redirect_uri, response_type, response_mode, scope, state, nonce, audience, connection, prompt,
      login_hint, code_challenge, device, protocol = "oauth2";
  std::int64_t max_age = -1;
  bool redirect_uri_given = true;
  // What the steps learnt:
  std::string user_id, used_connection, error, error_description;
  Millis authenticated_at = 0;

  JsonObject to_json() const;
  static AuthRequest from_json(const JsonObject& object, std::string handle);
};

inline constexpr std::string_view kAuthRequestKind = "login";

}  // namespace mandate::identity
