// The few primitives that rooms use by name; signatures live in jose/.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace mandate {

/// 32 raw bytes.
std::string sha256(std::string_view bytes);
/// 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// base64url of SHA-256: how tokens, codes and handles are kept at rest (KS-1).
std::string token_hash(std::string_view token);

/// AES-256-GCM with a random nonce: nonce(12) ‖ ciphertext ‖ tag(16). `key` is 32 bytes. `context` is authenticated
/// and must be given again to open, so a sealed value cannot be moved to another row.
std::string seal(std::string_view key, std::string_view plain, std::string_view context, Random& random);
/// Code::corrupt when the key, the context or a byte is not the one sealed.
Result<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view context);

}  // namespace mandate
