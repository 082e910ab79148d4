// Who sends to browsers: RFC 8292, and the encryption of RFC 8291.
#pragma once

#include "push/platform.h"
#include "base/random.h"
#include "jose/jwk.h"
#include "tenant/tenants.h"

namespace mandate::push {

/// A P-256 key from 32 bytes as base64url, or from PEM. server_error for anything else.
Result<jose::Key> vapid_key(std::string_view text);
/// Its public half as browsers want it: base64url of the uncompressed point. Empty for other keys.
std::string application_server_key(const jose::Key& key);
/// That of a service; not_found when it does not send to browsers.
Result<std::string> webpush_public_key(const tenant::Here& here, const tenant::Service& service, const tenant::Vault& vault);

/// The body of a message: aes128gcm (RFC 8188) under a key agreed with the browser (RFC 8291 §3). One record.
/// bad_request when the subscription's point is not on the curve.
Result<std::string> encrypt_webpush(std::string_view plain, const Subscription& to, Random& random);
/// The same with the sender's 32-byte private key and the 16-byte salt given: for the RFC's own example.
Result<std::string> encrypt_webpush(std::string_view plain, const Subscription& to, std::string_view private_key, std::string_view salt);

}  // namespace mandate::push
