// What a Key is made of. Inside jose only.
#pragma once

#include <array>
#include <atomic>

#include "jose/jwk.h"
#include "jose/openssl.h"

namespace mandate::jose {

enum class Family { hmac, rsa_pkcs1, rsa_pss, ecdsa, eddsa };

/// Everything that follows from the name of an algorithm.
struct AlgInfo {
  Family family;
  const char* digest;        ///< OpenSSL name; null for EdDSA
  std::size_t hash_bytes;
  const char* curve;         ///< JWK crv; null when none
  std::size_t coordinate;    ///< bytes of r, s, x, y
};
const AlgInfo& info(Alg alg);

/// Fetched once and kept for the life of the process: a fetch per call costs more than an HMAC (engine.md §1).
EVP_MD* digest(Alg alg);
EVP_MAC* hmac_mac();

/// The OpenSSL contexts of one key, ready to be used again. Not thread-safe; belongs to one caller at a time.
struct Contexts {
  MacCtxPtr mac;
  MdCtxPtr md;
  PkeyCtxPtr sign, verify;
};

struct Key::Impl {
  Alg alg = Alg::HS256;
  std::string kid;
  std::string secret;  ///< HMAC only
  PkeyPtr pkey;        ///< all others
  bool has_private = false;

  Impl() = default;
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// A set of contexts for the calling thread: the one it gave back last, or a new one.
  std::unique_ptr<Contexts> borrow() const;
  void give_back(std::unique_ptr<Contexts> contexts) const;

 private:
  // A thread has its own slot unless there are more than eight; then two share one and the slower makes a new set.
  struct alignas(64) Slot {
    std::atomic<Contexts*> contexts{nullptr};
  };
  mutable std::array<Slot, 8> slots_;
};

/// Gives the contexts back at the end of the scope.
class Borrowed {
 public:
  explicit Borrowed(const Key::Impl& key) : key_(key), contexts_(key.borrow()) {}
  ~Borrowed() { key_.give_back(std::move(contexts_)); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Contexts* operator->() { return contexts_.get(); }

 private:
  const Key::Impl& key_;
  std::unique_ptr<Contexts> contexts_;
};

/// Takes an OpenSSL key after checking type, curve, size and (for RSA) exponent and origin against `alg`.
Result<std::shared_ptr<Key::Impl>> adopt(PkeyPtr pkey, bool has_private, Alg alg, std::string kid);

/// True for moduli of the broken Infineon generator (CVE-2017-15361, "ROCA"): their residues are powers of 65537.
bool is_roca(const BIGNUM* n);

}  // namespace mandate::jose
