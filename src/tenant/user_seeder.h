// People named in a tenant's file. This room does not know identities: the identity room hands in who makes them.
#pragma once

#include "base/secret.h"
#include "base/task.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

struct SeedUser {
  std::string connection;  ///< a database connection; empty in a file = the tenant's first
  std::string email, username, name, nickname, given_name, family_name, picture;
  bool email_verified = false;
  Secret password;
  JsonObject user_metadata, app_metadata;
};

class UserSeeder {
 public:
  virtual ~UserSeeder() = default;
  /// True when the connection has somebody with this e-mail or user name.
  virtual Task<bool> exists(Here here, std::string connection, std::string login) = 0;
  /// Makes the person. user_exists, invalid_signup, invalid_password.
  virtual Task<void> create(Here here, SeedUser user) = 0;
};

}  // namespace mandate::tenant
