#include "server/people.h"

#include "identity/password_policy.h"

namespace mandate::server {

Task<bool> People::exists(tenant::Here here, std::string connection, std::string login) {
  Task<std::optional<identity::User>> finding = users_.find_by_login(here, connection, login);
  CO_TRY(const std::optional<identity::User> user, co_await finding);
  co_return user.has_value();
}

Task<void> People::create(tenant::Here here, tenant::SeedUser seed) {
  const std::string about[] = {seed.email, seed.username, seed.name, seed.given_name, seed.family_name};
  if (const auto fault = identity::password_fault(seed.password.reveal(), about))
    co_return Error(Code::invalid_password, std::string(identity::sentence(*fault)));
  identity::User user;
  user.email = seed.email;
  user.username = seed.username;
  user.name = seed.name;
  user.nickname = seed.nickname;
  user.given_name = seed.given_name;
  user.family_name = seed.family_name;
  user.picture = seed.picture;
  user.email_verified = seed.email_verified;
  user.user_metadata = seed.user_metadata;
  user.app_metadata = seed.app_metadata;
  Task<std::string> hashing = passwords_.hash(seed.password, kNoDeadline);
  CO_TRY(user.password_hash, co_await hashing);
  Task<identity::User> creating = users_.create(here, seed.connection, user);
  CO_CHECK(co_await creating);
  co_return ok();
}

}  // namespace mandate::server
