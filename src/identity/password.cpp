#include "identity/password.h"

#include <sodium.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "identity/connections/database.h"
#include "identity/password_policy.h"

namespace mandate::identity {
namespace {

constexpr std::size_t kSalt = 16, kHash = 32;
constexpr std::chrono::seconds kLongestWait{2};  // RL-9

std::string unpadded(std::string_view bytes) {
  std::string out = base64(bytes);
  while (!out.empty() && out.back() == '=') out.pop_back();
  return out;
}

// The PHC string; libsodium's own maker would take its salt past our Random.
std::string encoded(const PasswordCost& cost, std::string_view salt, std::string_view hash) {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_bytes / 1024) + ",t=" + std::to_string(cost.passes) + ",p=1$" +
         unpadded(salt) + "$" + unpadded(hash);
}

Result<std::string> argon2id(const PasswordCost& cost, const Secret& password, const std::string& salt) {
  std::string hash(kHash, '\0');
  const int failed = crypto_pwhash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(), password.reveal().data(),
                                   password.reveal().size(), reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
                                   cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
  if (failed) return Error(Code::overloaded, "The server is busy.", "argon2id: out of memory");
  return encoded(cost, salt, hash);
}

Error wrong() { return Error(Code::invalid_user_password, "Wrong email or password."); }
Error locked_out() { return Error(Code::too_many_attempts, "Too many wrong passwords. Please try again later."); }

// True when `encoded` cost its maker less than `cost` asks for. A dearer one is left alone.
bool too_cheap(const PasswordCost& cost, const std::string& encoded) {
  const auto number = [&](std::string_view label) -> std::uint64_t {
    const std::size_t at = encoded.find(label);
    std::uint64_t value = 0;
    if (at != std::string::npos) std::from_chars(encoded.data() + at + label.size(), encoded.data() + encoded.size(), value);
    return value;
  };
  return !encoded.starts_with("$argon2id$") || number("$m=") < cost.memory_bytes / 1024 || number(",t=") < cost.passes;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

Passwords::Passwords(const Users& users, CpuPool& pool, const Clock& clock, Random& random, Metrics& metrics, PasswordCost cost)
    : users_(users), pool_(pool), clock_(clock), random_(random), cost_(cost), lock_time_(clock),
      logins_ok_(metrics.counter("mandate_identity_password_logins_total", "Password checks by outcome", {{"outcome", "ok"}})),
      logins_wrong_(metrics.counter("mandate_identity_password_logins_total", "Password checks by outcome", {{"outcome", "wrong"}})),
      logins_locked_(metrics.counter("mandate_identity_password_logins_total", "Password checks by outcome", {{"outcome", "locked"}})),
      logins_blocked_(metrics.counter("mandate_identity_password_logins_total", "Password checks by outcome", {{"outcome", "blocked"}})),
      overloads_(metrics.counter("mandate_identity_password_overloads_total", "Password checks refused because the pool was full")),
      seconds_(metrics.histogram("mandate_identity_password_hash_seconds", "One hash, without the wait for a thread")) {
  // Without it argon2 runs its portable code, several times slower.
  if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
  nobody_ = encoded(cost_, random_.bytes(kSalt), random_.bytes(kHash));
}

Task<std::string> Passwords::hash(Secret password, Deadline deadline) const {
  const Deadline end = std::min(deadline, clock_.steady() + kLongestWait);
  std::function<Result<std::string>()> work = [this, password, salt = random_.bytes(kSalt)] {
    const auto begin = std::chrono::steady_clock::now();
    Result<std::string> made = argon2id(cost_, password, salt);
    seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return made;
  };
  Result<std::string> made = co_await pool_.run(std::move(work), end);
  if (!made.ok()) {
    overloads_.add();
    co_return Error(Code::overloaded, "The server is busy.", made.error().detail);
  }
  co_return made;
}

Task<bool> Passwords::verify(Secret password, std::string encoded, Deadline deadline) const {
  const Deadline end = std::min(deadline, clock_.steady() + kLongestWait);
  std::function<Result<bool>()> work = [this, password = std::move(password), encoded = std::move(encoded)]() -> Result<bool> {
    const auto begin = std::chrono::steady_clock::now();
    const bool good = crypto_pwhash_str_verify(encoded.c_str(), password.reveal().data(), password.reveal().size()) == 0;
    seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return good;
  };
  Result<bool> good = co_await pool_.run(std::move(work), end);
  if (!good.ok()) {
    overloads_.add();
    co_return Error(Code::overloaded, "The server is busy.", good.error().detail);
  }
  co_return good;
}

// One wrong password: counted for the account and for the address, with its audit row in the batch of the first.
Task<void> Passwords::refuse(tenant::Here here, tenant::Event event, const http::Request& request, std::string subject) const {
  const Millis now = lock_time_.now();
  const Millis wall = clock_.now_ms();
  std::vector<store::Mutation> failed, locks, none;
  failed.push_back(tenant::audit_row(event, request, wall));
  event.type = "account.locked";
  locks.push_back(tenant::audit_row(event, request, wall));
  Result<bool> account = co_await count_failure(*here.store, subject, kAccountRule, now, std::move(failed), std::move(locks));
  if (!account.ok()) co_return std::move(account).error();
  event.type = "address.locked";
  std::vector<store::Mutation> address_locks;
  address_locks.push_back(tenant::audit_row(event, request, wall));
  const std::string address = address_subject(request.peer);
  Result<bool> counted = co_await count_failure(*here.store, address, kAddressRule, now, std::move(none), std::move(address_locks));
  if (!counted.ok() && counted.error().code != Code::too_many_attempts) co_return std::move(counted).error();
  co_return ok();
}

Task<bool> Passwords::is_locked(const tenant::Here& here, const User& user) const {
  store::Store& store = *here.store;
  std::string subject = account_subject(user.connection, user.user_id);
  Result<bool> yes = co_await locked(store, std::move(subject), lock_time_.now());
  co_return yes;
}

Task<User> Passwords::login(const tenant::Here& here, const tenant::Connection& connection, std::string username, Secret password,
                            const http::Request& request) const {
  const tenant::Here home = here;
  const std::string connection_name = connection.name;
  if (connection.strategy != "auth0" || !connection.enabled) co_return Error(Code::invalid_connection, "The connection was not found.");
  tenant::Event event;
  event.type = "login.failed";
  event.connection = connection_name;

  CO_TRY(std::optional<User> user, co_await users_.find_by_login(home, connection_name, username));
  // All spellings of one account are one subject; names that nobody has are counted too, or counting would tell (AC-3).
  Result<std::string> canonical = canonical_login(username);
  const std::string account = user ? user->user_id : canonical.ok() ? *canonical : ascii_lower(username);
  const std::string subject = account_subject(connection_name, account);
  if (user) event.user_id = user->user_id;

  const Millis now = lock_time_.now();
  CO_TRY(bool account_locked, co_await locked(*home.store, subject, now));
  const std::string address = address_subject(request.peer);
  CO_TRY(bool address_locked, co_await locked(*home.store, address, now));
  if (account_locked || address_locked) {
    // Before any hashing (RL-9), and the right password is refused like a wrong one.
    logins_locked_.add();
    event.reason = name(Code::too_many_attempts);
    CO_CHECK(co_await tenant::audit(home, event, request, clock_));
    co_return locked_out();
  }

  const bool can_be = user && !user->password_hash.empty() && password.reveal().size() <= kLongestPassword;
  std::string against = can_be ? user->password_hash : nobody_;
  Secret tried = password.reveal().size() <= kLongestPassword ? password : Secret();
  CO_TRY(bool matches, co_await verify(tried, against, request.deadline));
  if (!can_be || !matches) {
    event.reason = name(Code::invalid_user_password);
    Result<void> counted = co_await refuse(home, event, request, subject);
    if (!counted.ok() && counted.error().code == Code::too_many_attempts) {
      logins_locked_.add();
      co_return locked_out();
    }
    CO_CHECK(std::move(counted));
    logins_wrong_.add();
    co_return wrong();
  }

  store::Batch batch;
  forgive(batch, subject, now);
  if (user->blocked) event.reason = "blocked";
  else event.type = "login.ok";
  batch.add(tenant::audit_row(event, request, clock_.now_ms()));
  Result<store::Outcome> done = co_await home.store->mutate(std::move(batch));
  if (!done.ok() && done.error().code == Code::too_many_attempts) {
    // The lock closed while this one was in the pool: of fifty guesses at once, only those before it count.
    logins_locked_.add();
    co_return locked_out();
  }
  CO_CHECK(std::move(done));
  if (user->blocked) {
    logins_blocked_.add();
    co_return Error(Code::unauthorized, "user is blocked");
  }
  logins_ok_.add();
  if (too_cheap(cost_, user->password_hash)) {
    Result<std::string> stronger = co_await hash(password, request.deadline);
    if (stronger.ok()) {
      user->password_hash = *stronger;
      // A better hash of the same password can wait for the next login; this one has succeeded.
      [[maybe_unused]] Result<void> kept = co_await users_.set_password_hash(home, user->user_id, *stronger, true);
    }
  }
  co_return std::move(*user);
}

Task<User> Passwords::sign_up(const tenant::Here& here, const tenant::Connection& connection, SignUp fields,
                              const http::Request& request) const {
  const tenant::Here home = here;
  const std::string connection_name = connection.name;
  if (connection.strategy != "auth0" || !connection.enabled) co_return Error(Code::invalid_connection, "The connection was not found.");
  const DatabaseOptions options = database_options(connection);
  if (options.disable_signup) co_return Error(Code::public_signup_disabled, "Public sign up is disabled.");

  User user;
  user.email = trimmed(fields.email);
  user.username = trimmed(fields.username);
  if (user.email.empty() && user.username.empty()) co_return Error(Code::invalid_request, "email or username is required");
  if (options.requires_username && user.username.empty()) co_return Error(Code::invalid_request, "username is required");
  if (!options.requires_username && user.email.empty()) co_return Error(Code::invalid_request, "email is required");
  if (!user.email.empty() && !plausible_email(user.email)) co_return Error(Code::invalid_request, "email is not valid");
  if (!user.username.empty() && !plausible_username(user.username)) co_return Error(Code::invalid_request, "username is not valid");
  if (!user.email.empty()) CO_CHECK(canonical_login(user.email));
  if (!user.username.empty()) CO_CHECK(canonical_login(user.username));
  const std::vector<std::string> about{user.email, user.username, fields.name, fields.nickname, fields.given_name, fields.family_name};
  if (const auto fault = password_fault(fields.password.reveal(), about))
    co_return Error(Code::invalid_password, std::string(sentence(*fault)));

  // Hashed before anybody looks whether the address is taken: both answers cost the same (AC-3).
  CO_TRY(std::string hashed, co_await hash(fields.password, request.deadline));
  user.password_hash = std::move(hashed);
  user.name = fields.name;
  user.nickname = fields.nickname;
  user.picture = fields.picture;
  user.given_name = fields.given_name;
  user.family_name = fields.family_name;
  user.user_metadata = std::move(fields.user_metadata);

  tenant::Event event;
  event.connection = connection_name;
  Result<User> created = co_await users_.create(home, connection_name, std::move(user));
  event.type = created.ok() ? "signup.ok" : "signup.failed";
  if (created.ok()) event.user_id = created->user_id;
  else event.reason = name(created.error().code);
  CO_CHECK(co_await tenant::audit(home, event, request, clock_));
  if (!created.ok() && created.error().code == Code::user_exists && !home->flag("enable_public_signup_user_exists_error"))
    co_return Error(Code::invalid_signup, "Invalid sign up");
  co_return created;
}

}  // namespace mandate::identity
