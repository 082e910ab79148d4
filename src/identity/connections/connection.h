// What every way to log in can do. One provider, one file; none knows the others.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "http/params.h"
#include "identity/login/auth_request.h"
#include "identity/users.h"

namespace mandate::identity {

/// The strategy of database connections: asks for user name and password on our own page.
inline constexpr std::string_view kDatabaseStrategy = "auth0";

/// One kind of connection, by the word in tenant::Connection::strategy. Thread-safe; the connection's own settings come
/// with each call, so that a changed configuration needs no restart.
class Strategy {
 public:
  virtual ~Strategy() = default;

  /// The provider's page to send the browser to. What must be known again at the callback is filed as a single-use
  /// object bound to this browser (SE-2). server_error: the connection's settings are incomplete.
  virtual Task<std::string> start(tenant::Here here, const tenant::Connection& connection, const AuthRequest& login,
                                  const http::Request& request) const = 0;

  /// The provider's answer became a person. `state` is what start() filed, taken from the store by the caller.
  /// access_denied: the provider (or the person there) said no; hint = its description.
  /// invalid_token: the answer is not to be trusted (foreign iss, no id, …): a page, never an account (SE-6, OA-5).
  /// upstream_error, timeout: the provider does not work.
  virtual Task<Profile> finish(tenant::Here here, const tenant::Connection& connection, const JsonObject& state,
                               const http::Params& answer, const http::Request& request) const = 0;

  /// Who a token belongs to that the provider gave to the app itself; `given` is what the app posted
  /// (mobile-backend-wire 4.5, 4.6: access_token, id_token, authenticationToken …). The token must have been made for a
  /// client of the connection. invalid_token: it is not good; access_denied: this connection takes none; upstream_error, timeout.
  virtual Task<Profile> verify(tenant::Here here, const tenant::Connection& connection, JsonObject given, Deadline deadline) const;

  /// New tokens for an old refresh token. invalid_grant: the provider takes it no longer; request_not_supported: it
  /// gives none; upstream_error, timeout.
  virtual Task<ProviderTokens> refresh(tenant::Here here, const tenant::Connection& connection, std::string refresh_token,
                                       Deadline deadline) const;
};

/// Strategies by name, filled once by the wiring.
class Strategies {
 public:
  void add(std::string_view name, std::shared_ptr<const Strategy> strategy) { by_name_[std::string(name)] = std::move(strategy); }
  /// Null for a database and for a strategy this server does not have.
  const Strategy* find(std::string_view name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : it->second.get();
  }

 private:
  std::map<std::string, std::shared_ptr<const Strategy>, std::less<>> by_name_;
};

/// The single-use object between start() and finish(): payload {"login": handle, "connection": name, …}.
inline constexpr std::string_view kUpstreamStateKind = "upstream_state";

inline bool is_database(const tenant::Connection& connection) { return connection.strategy == kDatabaseStrategy; }

}  // namespace mandate::identity
