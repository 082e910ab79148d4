// Claims and their checks: pure functions with `now` handed in. RFC 7519, RFC 8725.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jose/jws.h"

namespace mandate::jose {

/// The payload of a JWT whose signature was right.
struct Claims {
  JsonObject header;
  JsonObject all;

  std::string_view text(std::string_view name) const;  ///< empty when absent or not text
  std::string_view iss() const { return text("iss"); }
  std::string_view sub() const { return text("sub"); }
  std::vector<std::string_view> aud() const;
  bool has_aud(std::string_view audience) const;
  std::int64_t exp() const;  ///< seconds; 0 when absent
  std::int64_t iat() const;
};

/// What a token must be. Unset never means "do not check": empty `issuer` or `audiences` refuse everything unless the
/// matching any_* flag says that the caller checks it itself (TK-5).
struct Expectation {
  std::string_view issuer;
  bool any_issuer = false;
  std::span<const std::string> audiences;  ///< one of them must be in aud
  bool any_audience = false;
  std::string_view typ;  ///< header typ, without case, "application/" prefix ignored; empty = any
  std::int64_t now = 0;  ///< seconds
  std::int64_t leeway = 60;
  std::int64_t not_before_leeway = 60;
};

/// Which key to verify with; null = unknown. `kid` may be empty. The header's alg is only a hint for the choice.
using KeyFinder = std::function<const Key*(std::string_view kid, std::optional<Alg> alg)>;

/// Signature, then times (exp required; exp, nbf, iat whole numbers below 2^53, TK-6), then iss, aud, typ.
/// Always Code::invalid_token; the detail says which check failed.
Result<Claims> verify_jwt(std::string_view token, const KeyFinder& find, const Expectation& expected);
Result<Claims> verify_jwt(std::string_view token, const Key& key, const Expectation& expected);
/// The checks after the signature, for claims that came another way.
Result<void> check_claims(const Claims& claims, const Expectation& expected);

/// Signs claims; header {"alg":…,"typ":typ,"kid":…} in this order, kid left out when empty.
Result<std::string> sign_jwt(const Key& key, const JsonObject& claims, std::string_view typ = "JWT");

}  // namespace mandate::jose
