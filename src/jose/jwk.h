// Keys. RFC 7517, 7518, 8037.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"

namespace mandate::jose {

enum class Alg { HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA };
std::string_view name(Alg alg);
/// nullopt for anything else, "none" in every spelling included.
std::optional<Alg> alg_of(std::string_view name);
inline bool symmetric(Alg alg) { return alg <= Alg::HS512; }

/// A key bound to exactly one algorithm (TK-1). Immutable, cheap to copy, thread-safe.
class Key {
 public:
  /// HMAC over raw bytes; any length ≥ 1 (legacy secrets are what they are), a JWK's must reach the hash size (RFC 7518 §3.2).
  static Key hmac(Alg alg, std::string_view secret, std::string kid = {});
  /// A JWK. `alg` must be in it or given; kty, crv, size ≥ 2048 and point are checked. invalid_request otherwise.
  static Result<Key> from_jwk(const JsonObject& jwk, std::optional<Alg> alg = {});
  /// PEM private or public key, or certificate.
  static Result<Key> from_pem(std::string_view pem, Alg alg, std::string kid = {});
  /// A fresh private key; RSA has 2048 bits. `kid` empty = RFC 7638 thumbprint.
  static Result<Key> generate(Alg alg, std::string kid = {});

  Alg alg() const;
  const std::string& kid() const;
  bool has_private() const;
  /// PKCS#8 PEM; for sealing into the store only.
  std::string private_pem() const;
  std::string public_pem() const;
  /// Public members only (TK-14); empty object for HMAC. `use` sig and alg included.
  JsonObject public_jwk() const;
  /// RFC 7638, base64url.
  std::string thumbprint() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Key(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// A self-signed X.509 certificate of the key (for x5c, /cer, /pem): DER bytes. `common_name` is the tenant's host.
Result<std::string> self_signed_certificate(const Key& key, std::string_view common_name, std::int64_t not_before_seconds,
                                            std::int64_t years = 10);
std::string certificate_pem(std::string_view der);

/// {"keys":[…]} of public keys; `der_certificates` (same order, empty = none) add x5c and x5t.
JsonObject jwks(const std::vector<Key>& keys, const std::vector<std::string>& der_certificates = {});
/// Reads {"keys":[…]}; keys it cannot use are left out (RFC 7517 §5).
Result<std::vector<Key>> keys_of_jwks(const JsonObject& jwks);

}  // namespace mandate::jose
