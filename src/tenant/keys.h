// The tenant's signing keys: RS256, ES256 and, where something signs with it, PS256; each current, next and previous
// (TK-14, KS-1).
#pragma once

#include "tenant/objects.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

/// What every tenant has keys for.
inline constexpr jose::Alg kSigningAlgs[] = {jose::Alg::RS256, jose::Alg::ES256};

/// What this tenant needs keys for, and what it has some for: kSigningAlgs, and PS256 when an API or a client signs with it.
std::vector<jose::Alg> signing_algs(const Objects& objects);

/// A fresh key with its certificate, private half sealed. Takes a good fraction of a second for RSA: call in the CPU pool.
Result<std::pair<ObjectKey, StoredObject>> make_signing_key(jose::Alg alg, std::string_view state, std::string_view common_name,
                                                            const Vault& vault, Millis now);

/// nullopt for a previous key whose last token has ended. Code::corrupt.
Result<std::optional<SigningKey>> open_signing_key(const std::string& kid, const StoredObject& object, const Vault& vault, Millis now);

/// How long after its retirement a key still verifies: the longest life of any token it may have signed, in seconds.
std::int64_t longest_token_lifetime(const Tenant& tenant);

/// What a rotation writes: next becomes current, current previous (or goes at once when `revoke`: the key is in wrong
/// hands), previous ones whose tokens have ended go. `fresh` is the new next key.
void plan_rotation(const Objects& objects, jose::Alg alg, std::pair<ObjectKey, StoredObject> fresh, std::int64_t verify_seconds,
                   bool revoke, std::uint64_t revision, Millis now, std::vector<store::Mutation>& out);

}  // namespace mandate::tenant
