// The token that a mobile service's own login ends with, in the form the service wants (mobile-backend-wire 4.1, 4.2).
#pragma once

#include "identity/sessions.h"
#include "identity/users.h"
#include "oauth/deps.h"

namespace mandate::oauth {

/// Whom a service's token is for, and how the person came.
struct ServiceGrant {
  const tenant::Here* here = nullptr;
  const tenant::Service* service = nullptr;
  const identity::User* user = nullptr;
  std::string connection;  ///< the person came through
  std::string provider;    ///< as the app's URL spelt it, lower case; empty = what the service calls the connection
  const identity::Session* session = nullptr;  ///< the browser's, when there is one; then it must live
  bool needs_session = false;
  std::int64_t auth_time = 0;                  ///< seconds; when the person last proved who they are
  std::optional<std::int64_t> user_epoch;      ///< of the source, for the gate
  std::optional<std::uint64_t> tenant_epoch;
  std::string jti;                             ///< so that it can be revoked by name
};

struct ServiceToken {
  std::string token, user_id;
  std::int64_t exp = 0;

  /// {"user":{"userId":…},"authenticationToken":…}, what every SDK wants to read.
  JsonObject to_json() const;
};

/// The gate for it, alone: before a code is filed, and again inside make_service_token.
Task<void> may_issue_service_token(const Deps& deps, const ServiceGrant& grant);

/// Through the gate, then signed. Errors: the gate's; server_error when the service has no key of the form it wants.
/// V1 carries what the provider gave, encrypted, where the service keeps that.
Task<ServiceToken> make_service_token(const Deps& deps, const ServiceGrant& grant, const http::Request& request);

/// How a service's apps call this connection: the name that `login.providers` gives it, else its own.
std::string provider_name(const tenant::Service& service, std::string_view connection);

/// The user id that the service's scripts and rows know this person by.
std::string service_login_user_id(const tenant::Service& service, std::string_view user_id, std::string_view provider);

}  // namespace mandate::oauth
