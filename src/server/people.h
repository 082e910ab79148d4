// The people a tenant's file names, made by the identity room.
#pragma once

#include "identity/password.h"
#include "identity/users.h"
#include "tenant/user_seeder.h"

namespace mandate::server {

class People final : public tenant::UserSeeder {
 public:
  People(const identity::Users& users, const identity::Passwords& passwords) : users_(users), passwords_(passwords) {}
  Task<bool> exists(tenant::Here here, std::string connection, std::string login) override;
  /// The owner vouches for the address. invalid_password where the policy says no (AC-9).
  Task<void> create(tenant::Here here, tenant::SeedUser user) override;

 private:
  const identity::Users& users_;
  const identity::Passwords& passwords_;
};

}  // namespace mandate::server
