#include "oauth/locked.h"

#include "identity/lockout.h"

namespace mandate::oauth {

Task<bool> is_locked(const tenant::Here& here, const identity::User& user, const identity::Users& users) {
  const tenant::Connection* connection = here->connection(user.connection);
  if (!connection || connection->strategy != "auth0") co_return false;
  std::string subject = identity::account_subject(connection->name, user.user_id);
  Result<bool> locked = co_await identity::locked(*here.store, std::move(subject), users.lock_time());
  co_return locked;
}

}  // namespace mandate::oauth
