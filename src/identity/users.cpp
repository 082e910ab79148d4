#include "identity/users.h"

#include "identity/profile.h"
#include "identity/recent_users.h"
#include "identity/user_rows.h"

namespace mandate::identity {
namespace {

using store::Cell;
using store::equals;

store::Plan by(std::string table, store::ExprPtr where) {
  store::Plan plan;
  plan.table = std::move(table);
  plan.where = std::move(where);
  return plan;
}

Task<std::optional<User>> load(store::Store& store, std::string user_id) {
  store::Plan user_plan = by("users", equals("user_id", user_id));
  CO_TRY(std::optional<store::Row> row, co_await store.get(user_plan));
  if (!row) co_return std::optional<User>();
  User user = user_of(*row);
  store::Plan plan = by("identities", equals("user_id", user_id));
  plan.order = {{store::column("added_at", store::Type::integer), false}, {store::column("connection", store::Type::text), false}};
  CO_TRY(std::vector<store::Row> rows, co_await store::rows(store, plan));
  for (const store::Row& identity : rows) user.identities.push_back(identity_of(identity));
  co_return std::optional<User>(std::move(user));
}

std::string object_id(Millis now, Random& random) {
  // Seconds first: time-ordered, so that inserts land at the end of the index.
  static constexpr char kHex[] = "0123456789abcdef";
  const auto seconds = static_cast<std::uint32_t>(now / 1000);
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out += kHex[(seconds >> shift) & 15];
  return out + random.hex(8);
}

constexpr int kTries = 8;

}  // namespace

Users::Users(const Clock& clock, Random& random) : clock_(clock), random_(random), lock_time_(clock), recent_(std::make_unique<RecentUsers>()) {}
Users::~Users() = default;

Task<std::optional<User>> Users::find(const tenant::Here& here, std::string user_id) const {
  store::Store& store = *here.store;
  // Taken before the reads: a commit that comes in between makes the next one read again.
  const std::optional<RecentUsers::Version> version = RecentUsers::version(store);
  if (version)
    if (const auto known = recent_->find(store, user_id, *version)) co_return std::optional<User>(*known);
  Task<std::optional<User>> loading = load(store, std::move(user_id));
  Result<std::optional<User>> user = co_await loading;
  if (version && user.ok() && *user) recent_->keep(store, *version, **user);
  co_return user;
}

Task<std::optional<Users::Standing>> Users::standing(const tenant::Here& here, std::string user_id) const {
  store::Plan plan = by("users", equals("user_id", user_id));
  plan.select = {"blocked", "epoch"};
  CO_TRY(const std::optional<store::Row> row, co_await here.store->get(plan));
  if (!row) co_return std::optional<Standing>();
  co_return std::optional<Standing>(Standing{row->boolean("blocked"), row->integer("epoch")});
}

Task<std::optional<User>> Users::find_by_login(const tenant::Here& here, std::string connection,
                                               std::string email_or_username) const {
  store::Store& store = *here.store;
  Result<std::string> login = canonical_login(email_or_username);
  if (!login.ok()) co_return std::optional<User>();
  store::Plan plan = by("logins", store::both(equals("connection", connection), equals("login", *login)));
  CO_TRY(std::optional<store::Row> row, co_await store.get(plan));
  if (!row) co_return std::optional<User>();
  std::string user_id(row->text("user_id"));
  Result<std::optional<User>> user = co_await load(store, user_id);
  co_return user;
}

Task<User> Users::create(const tenant::Here& here, std::string connection, User user) const {
  store::Store& store = *here.store;
  if (user.email.empty() && user.username.empty()) co_return Error(Code::invalid_signup, "Invalid sign up");
  const Millis now = clock_.now_ms();
  const std::string id = object_id(now, random_);
  user.user_id = "auth0|" + id;
  user.connection = connection;
  user.picture = safe_link(user.picture);
  user.created_at = user.updated_at = now;
  user.last_login = 0;
  user.logins_count = user.epoch = 0;

  store::Batch batch;
  batch.add(store::insert("users", cells_of(user)));
  batch.add(identity_row({connection, "auth0", id, boost::json::string(id), false}, user.user_id, now));
  std::set<std::string> logins;
  for (const std::string& text : {user.email, user.username}) {
    if (text.empty()) continue;
    CO_TRY(std::string login, canonical_login(text));
    logins.insert(std::move(login));
  }
  // One name space for e-mail and user name, so that nobody takes another's address as a user name.
  for (const std::string& login : logins)
    batch.add(store::insert("logins", {{"connection", connection}, {"login", login}, {"user_id", user.user_id}}));
  Result<store::Outcome> done = co_await store.mutate(std::move(batch));
  if (!done.ok() && done.error().code == Code::conflict) co_return Error(Code::user_exists, "The user already exists.");
  CO_CHECK(std::move(done));
  user.identities = {JsonObject{{"user_id", id}, {"provider", "auth0"}, {"connection", connection}, {"isSocial", false}}};
  co_return user;
}

Task<User> Users::upsert_from_profile(const tenant::Here& here, Profile profile) const {
  store::Store& store = *here.store;
  if (profile.connection.empty() || profile.strategy.empty() || profile.upstream_id.empty())
    co_return Error(Code::invalid_token, "The identity provider did not say who you are.", "profile without id");
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const Millis now = clock_.now_ms();
    store::Plan plan = by("identities", store::both(equals("connection", profile.connection), equals("upstream_id", profile.upstream_id)));
    CO_TRY(std::optional<store::Row> known, co_await store.get(plan));
    store::Batch batch;
    std::string user_id;
    if (known) {
      user_id = known->text("user_id");
      CO_TRY(std::optional<User> user, co_await load(store, user_id));
      if (!user) co_return Error(Code::server_error, "", "identity without user: " + user_id);
      refresh(*user, profile);
      user->updated_at = now;
      // Only what the provider tells; a block or a new epoch that happens this moment must not be undone.
      std::vector<Cell> cells;
      for (Cell& cell : cells_of(*user))
        for (const std::string_view name : {"email", "email_verified", "username", "name", "nickname", "picture", "given_name",
                                            "family_name", "locale", "extra", "updated_at"})
          if (cell.column == name) cells.push_back(std::move(cell));
      store::Mutation change = store::update("users", equals("user_id", user_id), std::move(cells));
      change.expect = store::Mutation::Expect::one;
      batch.add(std::move(change));
    } else {
      User user;
      user.user_id = upstream_user_id(profile);
      store::Plan former_plan = by("former_users", equals("user_id", user.user_id));
      CO_TRY(std::optional<store::Row> former, co_await store.get(former_plan));
      // AC-12: the id of somebody who was removed is not given out again, or old rows would find a new owner.
      if (former) user.user_id += "|" + std::to_string(former->integer("generation") + 1);
      user_id = user.user_id;
      user.connection = profile.connection;
      user.created_at = user.updated_at = now;
      refresh(user, profile);
      const NewIdentity identity{profile.connection, profile.strategy, profile.upstream_id,
                                 profile.upstream_id_value.is_null() ? Json(boost::json::string(profile.upstream_id)) : profile.upstream_id_value,
                                 true};
      batch.add(store::insert("users", cells_of(user)));
      batch.add(identity_row(identity, user_id, now));
    }
    Result<store::Outcome> done = co_await store.mutate(std::move(batch));
    if (!done.ok() && done.error().code == Code::conflict) continue;  // the same person, in another tab
    CO_CHECK(std::move(done));
    CO_TRY(std::optional<User> user, co_await load(store, user_id));
    if (!user) co_return Error(Code::server_error, "", "user vanished: " + user_id);
    co_return std::move(*user);
  }
  co_return Error(Code::overloaded, "The server is busy.", "identity row contended");
}

Task<void> Users::note_login(const tenant::Here& here, std::string user_id) const {
  store::Store& store = *here.store;
  store::Plan plan = by("users", equals("user_id", user_id));
  plan.select = {"logins_count"};
  CO_TRY(std::optional<store::Row> row, co_await store.get(plan));
  if (!row) co_return Error(Code::not_found, "The user does not exist.");
  store::Batch batch;
  batch.add(store::update("users", equals("user_id", user_id),
                          {{"last_login", clock_.now_ms()}, {"logins_count", row->integer("logins_count") + 1}}));
  CO_CHECK(co_await store.mutate(std::move(batch)));
  co_return ok();
}

namespace {

// Changes `cells` and moves the epoch on. Two changes at once raise it twice: a lost step would leave old tokens alive.
Task<void> change_with_epoch(store::Store& store, std::string user_id, std::vector<Cell> cells) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    store::Plan plan = by("users", equals("user_id", user_id));
    plan.select = {"epoch"};
    CO_TRY(std::optional<store::Row> row, co_await store.get(plan));
    if (!row) co_return Error(Code::not_found, "The user does not exist.");
    const std::int64_t epoch = row->integer("epoch");
    std::vector<Cell> set = cells;
    set.push_back({"epoch", epoch + 1});
    store::Mutation change = store::update("users", store::both(equals("user_id", user_id), equals("epoch", epoch)), std::move(set));
    change.expect = store::Mutation::Expect::one;
    store::Batch batch;
    batch.add(std::move(change));
    Result<store::Outcome> done = co_await store.mutate(std::move(batch));
    if (!done.ok() && done.error().code == Code::conflict) continue;
    CO_CHECK(std::move(done));
    co_return ok();
  }
  co_return Error(Code::overloaded, "The server is busy.", "user row contended");
}

Task<void> change(store::Store& store, std::string user_id, std::vector<Cell> cells) {
  store::Mutation change = store::update("users", equals("user_id", user_id), std::move(cells));
  change.expect = store::Mutation::Expect::one;
  change.otherwise = Code::not_found;
  store::Batch batch;
  batch.add(std::move(change));
  CO_CHECK(co_await store.mutate(std::move(batch)));
  co_return ok();
}

}  // namespace

Task<void> Users::set_blocked(const tenant::Here& here, std::string user_id, bool blocked) const {
  std::vector<Cell> cells{{"blocked", blocked}, {"updated_at", clock_.now_ms()}};
  Task<void> task = blocked ? change_with_epoch(*here.store, std::move(user_id), std::move(cells))
                            : change(*here.store, std::move(user_id), std::move(cells));
  Result<void> done = co_await task;
  co_return done;
}

Task<void> Users::set_password_hash(const tenant::Here& here, std::string user_id, std::string hash, bool same_password) const {
  std::vector<Cell> cells{{"password_hash", std::move(hash)}};
  Task<void> task = same_password ? change(*here.store, std::move(user_id), std::move(cells))
                                  : change_with_epoch(*here.store, std::move(user_id), std::move(cells));
  Result<void> done = co_await task;
  co_return done;
}

Task<void> Users::raise_epoch(const tenant::Here& here, std::string user_id) const {
  std::vector<Cell> none;
  Result<void> done = co_await change_with_epoch(*here.store, std::move(user_id), std::move(none));
  co_return done;
}

Task<void> Users::remove(const tenant::Here& here, std::string user_id) const {
  store::Store& store = *here.store;
  store::Plan plan = by("identities", equals("user_id", user_id));
  CO_TRY(std::vector<store::Row> identities, co_await store::rows(store, plan));
  store::Batch batch;
  store::Mutation gone = store::remove("users", equals("user_id", user_id));
  gone.expect = store::Mutation::Expect::one;
  gone.otherwise = Code::not_found;
  batch.add(std::move(gone));
  for (const std::string_view table : {"identities", "logins", "sessions", "provider_tokens"})
    batch.add(store::remove(std::string(table), equals("user_id", user_id)));
  // The generation hangs on the id that the same upstream person would get again.
  for (const store::Row& row : identities) {
    Profile profile;
    profile.connection = row.text("connection");
    profile.strategy = row.text("provider");
    profile.upstream_id = row.text("upstream_id");
    const std::string first_id = upstream_user_id(profile);
    store::Plan former_plan = by("former_users", equals("user_id", first_id));
    CO_TRY(std::optional<store::Row> former, co_await store.get(former_plan));
    const std::int64_t generation = former ? former->integer("generation") + 1 : 1;
    batch.add(store::upsert("former_users", {"user_id"}, {{"user_id", first_id}, {"generation", generation}}));
  }
  CO_CHECK(co_await store.mutate(std::move(batch)));
  co_return ok();
}

}  // namespace mandate::identity
