// A person's session at the tenant's host: the cookie and what stands behind it.
#pragma once

#include "http/params.h"
#include "identity/users.h"

namespace mandate::identity {

struct Session {
  std::string id;            ///< "sid": public name of the session, not the cookie's secret
  std::string user_id, connection;
  Millis auth_time = 0, created_at = 0, last_seen = 0, expires_at = 0;
  std::vector<std::string> amr, clients;
  std::int64_t user_epoch = 0;
  std::uint64_t tenant_epoch = 0;
};

inline constexpr std::string_view kSessionCookie = "__Host-mandate";
inline constexpr std::string_view kPlainSessionCookie = "mandate";  ///< on plain HTTP, where __Host- is impossible

/// The session `sid` while Sessions::find would give it, `user` being its person and not blocked: for a check in a batch.
store::ExprPtr live_session(const tenant::Here& here, std::string sid, const User& user, Millis now);

class Sessions {
 public:
  Sessions(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  /// The live session of this request's cookie; nullopt when none, expired, ended, or of a blocked or changed user.
  Task<std::optional<Session>> current(const tenant::Here& here, const http::Request& request) const;
  Task<std::optional<Session>> find(const tenant::Here& here, std::string sid) const;
  /// A new session with a new random cookie (SE-1); ends the one the request came with. The Set-Cookie goes into `cookie`.
  Task<Session> begin(const tenant::Here& here, const http::Request& request, const User& user, std::string connection,
                      std::vector<std::string> amr, std::string& cookie) const;
  Task<void> note_client(const tenant::Here& here, const Session& session, std::string client_id) const;
  /// Ends it; its refresh tokens without offline consent die with it. `cookie` gets the deleting Set-Cookie.
  Task<void> end(const tenant::Here& here, const http::Request& request, std::string& cookie) const;

 private:
  const Clock& clock_;
  Random& random_;
};

}  // namespace mandate::identity
