// Users and identities as rows, and what a provider's profile makes of them. Internal to the room.
#pragma once

#include "identity/users.h"

namespace mandate::identity {

/// A row of `users`. `identities` stays empty: they are rows of their own.
User user_of(const store::Row& row);
std::vector<store::Cell> cells_of(const User& user);

/// A row of `identities`, as identity-wire 4.1 shows it.
Json identity_of(const store::Row& row);

struct NewIdentity {
  std::string connection, provider, upstream_id;
  Json upstream_value;
  bool is_social = true;
};
store::Mutation identity_row(const NewIdentity& identity, const std::string& user_id, Millis now);

/// "{provider}|{id}" of identity-wire 4.1. A second connection of one strategy is another set of people, so its name is
/// part of the id unless it is the strategy's own.
std::string upstream_user_id(const Profile& profile);

/// What the provider says now replaces what it said before; what it does not say stays.
void refresh(User& user, const Profile& profile);

}  // namespace mandate::identity
