// Is this person's account locked after too many wrong passwords? One of the things the gate is told (AC-6).
#pragma once

#include "identity/users.h"

namespace mandate::oauth {

/// Only accounts of a database connection can be. Goes by the same time as the counting of wrong passwords.
Task<bool> is_locked(const tenant::Here& here, const identity::User& user, const identity::Users& users);

/// The same asked by a batch, which fails with `otherwise` when it is.
void expect_unlocked(store::Batch& batch, const tenant::Here& here, const identity::User& user, const identity::Users& users, Code otherwise);

}  // namespace mandate::oauth
