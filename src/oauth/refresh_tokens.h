// Refresh tokens: families, rotation, reuse (TK-12, OAuth 2.1 §4.3.1).
#pragma once

#include "oauth/remembered_grant.h"

namespace mandate::oauth {

/// The texts are 45 characters of the legacy alphabet; only hashes are kept.
std::string new_refresh_token(Random& random);

/// Rows of a new family with its first token. `token.family` is the grant id. A device's earlier family of
/// the same user and client is replaced (identity-wire 4.4), when `token.device` is not empty. `session` is the living one it
/// comes from. Gives what may be remembered of it.
RememberedGrant file_refresh_token(store::Batch& batch, const RefreshToken& token, std::string_view text, Millis now,
                                   const identity::Session* session = nullptr);

/// Expiry of a family used now: the sooner of idle and absolute lifetime; 0 = never (legacy).
Millis refresh_expiry(const tenant::Client& client, Millis created_at, Millis now);

/// The family a refresh token of that client belongs to, also when it was rotated out; invalid_grant when there is none.
/// For revocation: whoever shows an old token means the grant (RFC 7009 §2.1).
Task<std::string> refresh_family(const tenant::Here& here, std::string token, std::string client_id, Millis now);

/// The token's own row; invalid_grant when there is none.
Task<store::Row> refresh_token_row(const tenant::Here& here, std::string token);
bool rotated_out(const store::Row& token_row);
/// What a live token's row carries of its grant; absent when it was rotated out or written by a version that carried nothing.
std::optional<RememberedGrant> carried_grant(const store::Row& token_row);

/// What presenting a refresh token to be used up means.
struct Presented {
  RefreshToken token;
  std::string successor;  ///< not empty: the same request came before; its answer was this
};
/// Looks at the token's row and its family for use. invalid_grant: unknown, of another client, expired; reuse of a rotated token
/// does that too and revokes the family first. `fingerprint` names the request: within the client's leeway
/// the same one gets the same successor.
Task<Presented> present_refresh_token(const tenant::Here& here, const tenant::Client& client, store::Row token_row,
                                      std::string token, std::string fingerprint, Millis now);

/// Mutations that use up `old_text` and file `new_text`; the batch fails with invalid_grant when another
/// request was first, or the family has ended.
void rotate_refresh_token(store::Batch& batch, const tenant::Client& client, const RememberedGrant& grant,
                          std::string_view old_text, std::string_view new_text, std::string_view fingerprint,
                          Random& random, Millis now);
/// The family is used now; fails likewise.
void touch_family(store::Batch& batch, const tenant::Client& client, const RefreshToken& token, Millis now);
/// For clients that do not rotate: only the time of use moves on; fails likewise, also when the token was rotated out before.
void touch_refresh_token(store::Batch& batch, const tenant::Client& client, const RefreshToken& token,
                         std::string_view text, Millis now);

}  // namespace mandate::oauth
