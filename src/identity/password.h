// Passwords: hashing in a bounded pool, checking without telling, locking out (AC-1 … AC-4, AC-9, RL-9).
#pragma once

#include "base/cpu_pool.h"
#include "base/metrics.h"
#include "identity/lockout.h"
#include "identity/users.h"
#include "tenant/audit.h"

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

  /// Is this account locked out by wrong passwords right now? A fact for oauth's may_issue (AC-6).
  Task<bool> is_locked(const tenant::Here& here, const User& user) const;

  /// argon2id text ($argon2id$v=19$m=19456,t=2,p=1$…), made in the pool; overloaded when the queue is longer than 2 s.
  Task<std::string> hash(Secret password, Deadline deadline) const;

 private:
  Task<bool> verify(Secret password, std::string encoded, Deadline deadline) const;
  Task<void> refuse(tenant::Here here, tenant::Event event, const http::Request& request, std::string subject) const;

  const Users& users_;
  CpuPool& pool_;
  const Clock& clock_;
  Random& random_;
  PasswordCost cost_;
  LockTime lock_time_;
  std::string nobody_;  ///< a hash that no password has; costs what a real one costs
  Counter &logins_ok_, &logins_wrong_, &logins_locked_, &logins_blocked_, &overloads_;
  Histogram& seconds_;
};

}  // namespace mandate::identity
