// Signing where it belongs: elliptic curves and HMAC at once, RSA private keys in the pool (engine.md §4).
#pragma once

#include "base/cpu_pool.h"
#include "jose/jwt.h"

namespace mandate::oauth {

/// A signed JWT. An RSA signature costs most of a millisecond and is made on a pool thread; the others are
/// made here.
Task<std::string> sign(CpuPool& pool, jose::Key key, JsonObject claims, std::string typ, Deadline deadline);

/// Left half of the hash that goes with `alg`, base64url: at_hash and c_hash (OIDC Core §3.1.3.6, §3.3.2.11).
std::string half_hash(jose::Alg alg, std::string_view token);

}  // namespace mandate::oauth
