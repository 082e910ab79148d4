#include "oauth/locked.h"

#include "identity/lockout.h"

namespace mandate::oauth {
namespace {

/// What the person's failures are counted under; absent where there are no passwords.
std::optional<std::string> subject_of(const tenant::Here& here, const identity::User& user) {
  const tenant::Connection* connection = here->connection(user.connection);
  if (!connection || connection->strategy != "auth0") return std::nullopt;
  return identity::account_subject(connection->name, user.user_id);
}

}  // namespace

Task<bool> is_locked(const tenant::Here& here, const identity::User& user, const identity::Users& users) {
  std::optional<std::string> subject = subject_of(here, user);
  if (!subject) co_return false;
  Result<bool> locked = co_await identity::locked(*here.store, std::move(*subject), users.lock_time());
  co_return locked;
}

void expect_unlocked(store::Batch& batch, const tenant::Here& here, const identity::User& user, const identity::Users& users, Code otherwise) {
  if (const auto subject = subject_of(here, user)) batch.add(identity::expect_unlocked(*subject, users.lock_time(), otherwise));
}

}  // namespace mandate::oauth
