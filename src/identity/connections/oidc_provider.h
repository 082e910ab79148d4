// What OpenID Connect providers publish about themselves, remembered: their discovery documents and keys.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/fetch.h"
#include "jose/jwt.h"

namespace mandate::identity {

/// A discovery document, checked: `issuer` is the one asked for, every URL is https (or http on loopback).
struct OidcMetadata {
  std::string issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, jwks_uri;
  bool basic = true;              ///< client_secret_basic is among token_endpoint_auth_methods_supported, or nothing is said
  bool sends_issuer = false;      ///< authorization_response_iss_parameter_supported
};

/// What an id_token must be.
struct OidcExpectation {
  std::string issuer;
  std::vector<std::string> audiences;  ///< our client ids there; the first is the connection's own
  std::string nonce;                   ///< empty = not compared
  std::string access_token;            ///< compared with at_hash when both are there
};

/// Documents and keys of all providers, by issuer. Thread-safe.
class OidcProviders {
 public:
  OidcProviders(http::Fetch& fetch, const Clock& clock) : fetch_(fetch), clock_(clock) {}

  /// The document, at most an hour old. invalid_token: it is for another issuer or has an unfit URL; upstream_error; timeout.
  Task<OidcMetadata> metadata(std::string issuer, Deadline deadline);

  /// The claims of a good id_token (OIDC Core §3.1.3.7). An unknown kid fetches the keys anew, at most once a minute.
  /// invalid_token says in its detail what is wrong; upstream_error, timeout.
  Task<JsonObject> claims(OidcMetadata metadata, std::string id_token, OidcExpectation expected, Deadline deadline);

 private:
  struct Known {
    std::shared_ptr<const OidcMetadata> metadata;
    std::shared_ptr<const std::vector<jose::Key>> keys;
    Millis metadata_at = 0, keys_at = 0;
  };
  Task<std::shared_ptr<const std::vector<jose::Key>>> keys(OidcMetadata metadata, bool anew, Deadline deadline);
  Task<JsonObject> get(std::string url, Deadline deadline);

  http::Fetch& fetch_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;
};

/// https, or http on a loopback host: where a document, a key or a token may come from.
bool fit_for_oidc(std::string_view url);

}  // namespace mandate::identity
