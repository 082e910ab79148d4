// Which members of a configuration object are secret, and how they are kept (KS-1, DG-12).
#pragma once

#include "base/secret.h"
#include "tenant/codec/reader.h"
#include "tenant/objects.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

/// path → plain text as a file gives it; nullopt where the file says null: the secret goes away.
using PlainSecrets = std::map<std::string, std::optional<Secret>, std::less<>>;

/// Cuts the secret members out of `body`. What remains may be shown and logged.
PlainSecrets take_secrets(std::string_view kind, JsonObject& body, const std::string& path, Problems& problems);

/// A client's secret before the current one; it has a place while the client says when it ends.
inline constexpr std::string_view kPreviousSecret = "previous_client_secret";

/// A service's key for RFC 8292: 32 bytes of a P-256 private key as base64url, or PEM.
inline constexpr std::string_view kWebPushKey = "push.webpush.private_key";

/// The vault's context for one secret of one object.
std::string secret_context(const ObjectKey& key, std::string_view path);

/// True when an object with this body has a place for that secret: an add-on taken away takes its secret with it.
bool has_place(std::string_view kind, const JsonObject& body, std::string_view path);

/// Secrets this object cannot be without; made by us when nobody gives them.
std::vector<std::string> needed_secrets(std::string_view kind, const JsonObject& body);
/// Random bytes in a secret that we make.
inline std::size_t fresh_bytes(std::string_view path) { return path == kWebPushKey ? 32 : 48; }

/// Puts the secrets back among the members as plain text, for an export that was asked for with the key. Code::corrupt.
Result<void> reveal_secrets(const ObjectKey& key, const StoredObject& object, const Vault& vault, JsonObject& body);

}  // namespace mandate::tenant
