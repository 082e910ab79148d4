// People: one row each, and one per identity they log in with.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "identity/lockout.h"
#include "store/store.h"
#include "tenant/tenants.h"

namespace mandate::identity {

struct User {
  std::string user_id;   ///< "{provider}|{id}", never changes (identity-wire 4.1)
  std::string connection;  ///< of its first identity; a database's for password users
  std::string email, username, name, nickname, picture, given_name, family_name, locale;
  bool email_verified = false, blocked = false;
  std::string password_hash;  ///< database connection only
  JsonObject user_metadata, app_metadata, extra;
  JsonArray identities;       ///< as 4.1 shows them
  Millis created_at = 0, updated_at = 0, last_login = 0;
  std::int64_t logins_count = 0;
  std::int64_t epoch = 0;     ///< raised by block, password change, revoke-all: tokens and sessions older are void
};

/// What a provider gave besides the person's name: kept sealed, and only where a service wants it.
struct ProviderTokens {
  std::string access_token, access_token_secret, refresh_token, id_token;
  Millis expires_at = 0;  ///< of the access token; 0 = the provider did not say

  bool empty() const { return access_token.empty() && id_token.empty() && refresh_token.empty(); }
};

/// What a connection learnt about the person who just proved who they are.
struct Profile {
  std::string connection, strategy;
  std::string upstream_id;    ///< the provider's own id
  Json upstream_id_value;     ///< as the provider wrote it: a number stays one
  std::string email, name, nickname, picture, username, given_name, family_name, locale;
  bool email_verified = false;
  JsonObject extra;
  ProviderTokens tokens;
};

class RecentUsers;

/// Thread-safe; every method reads or writes the tenant's store.
class Users {
 public:
  Users(const Clock& clock, Random& random);
  ~Users();

  /// The time that lock-outs go by, for every door (RL-6).
  Millis lock_time() const { return lock_time_.now(); }

  /// As the store has it now; read only when a person's row changed since the last time.
  Task<std::optional<User>> find(const tenant::Here& here, std::string user_id) const;
  /// What can end a token between two requests, in one small read. Absent: the person is gone.
  struct Standing {
    bool blocked = false;
    std::int64_t epoch = 0;
  };
  Task<std::optional<Standing>> standing(const tenant::Here& here, std::string user_id) const;
  /// By canonical e-mail or user name within a database connection (IN-3).
  Task<std::optional<User>> find_by_login(const tenant::Here& here, std::string connection, std::string email_or_username) const;
  /// A new database user; user_exists, invalid_signup.
  Task<User> create(const tenant::Here& here, std::string connection, User user) const;
  /// The user of this upstream identity, made or refreshed. Never links by e-mail on its own (AC-1).
  Task<User> upsert_from_profile(const tenant::Here& here, Profile profile) const;
  Task<void> note_login(const tenant::Here& here, std::string user_id) const;
  /// not_found; raises the epoch when it blocks.
  Task<void> set_blocked(const tenant::Here& here, std::string user_id, bool blocked) const;
  /// A new password hash; raises the epoch unless `same_password` (a stronger hash of it). not_found.
  Task<void> set_password_hash(const tenant::Here& here, std::string user_id, std::string hash, bool same_password) const;
  /// Makes everything issued to the user so far void. not_found.
  Task<void> raise_epoch(const tenant::Here& here, std::string user_id) const;
  /// Removes the user with identities and sessions. A person who comes back is a new user with a new id (AC-12).
  Task<void> remove(const tenant::Here& here, std::string user_id) const;

 private:
  const Clock& clock_;
  Random& random_;
  LockTime lock_time_;
  std::unique_ptr<RecentUsers> recent_;
};

/// NFC, ASCII lower case; invalid_request for invisible or mixed-script text (IN-3).
Result<std::string> canonical_login(std::string_view text);

/// Profile of identity-wire 4.1 without sub, clientID and global_client_id; ≤ the attributes named when `only` is not empty.
JsonObject legacy_profile(const User& user, const std::vector<std::string>& only = {});
/// Claims by scope of identity-wire 4.2.
JsonObject standard_claims(const User& user, const std::vector<std::string>& scopes);

}  // namespace mandate::identity
