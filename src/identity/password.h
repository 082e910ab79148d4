// Passwords: hashing in a bounded pool, checking without telling, locking out (AC-1 … AC-4, AC-9, RL-9).
#pragma once

#include "base/cpu_pool.h"
#include "base/metrics.h"
#include "identity/users.h"

namespace mandate::identity {

/// What one hash costs; the default is the least that AC-9 allows. Tests make it small.
struct PasswordCost {
  std::size_t memory_bytes = 19456 * 1024;
  unsigned passes = 2;
};

/// Thread-safe.
class Passwords {
 public:
  Passwords(const Users& users, CpuPool& pool, const Clock& clock, Random& random, Metrics& metrics, PasswordCost cost = {});

  /// The user, when the password is right, the account not locked and not blocked. Same work whether or not the account
  /// exists (AC-3). Errors: invalid_user_password "Wrong email or password.", too_many_attempts, unauthorized "user is blocked.".
  Task<User> login(const tenant::Here& here, const tenant::Connection& connection, std::string username, Secret password,
                   const http::Request& request) const;

  struct SignUp {
    std::string email, username;
    Secret password;
    JsonObject user_metadata;
    std::string name, nickname, picture, given_name, family_name;
  };
  /// A new user of a database connection: user_exists / invalid_signup, invalid_password (policy, AC-9), public_signup_disabled.
  Task<User> sign_up(const tenant::Here& here, const tenant::Connection& connection, SignUp fields, const http::Request& request) const;

  /// argon2id text ($argon2id$v=19$m=19456,t=2,p=1$…), made in the pool. `cost` lets tests be quick.
  Task<std::string> hash(Secret password, Deadline deadline) const;

 private:
  const Users& users_;
  CpuPool& pool_;
  const Clock& clock_;
  Random& random_;
  Metrics& metrics_;
};

}  // namespace mandate::identity
