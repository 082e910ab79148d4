#include "identity/lockout.h"

#include <arpa/inet.h>

#include "base/base64.h"
#include "base/crypto.h"

namespace mandate::identity {
namespace {

using store::equals;

constexpr int kTries = 16;
constexpr Millis kKeep = 7 * 86'400'000LL;  // rows without news for a week are swept

store::Plan row_of(const std::string& subject) {
  store::Plan plan;
  plan.table = "lockouts";
  plan.where = equals("subject", subject);
  return plan;
}

Millis lock_length(const LockoutRule& rule, std::int64_t rounds) {
  Millis length = rule.first_lock;
  for (std::int64_t i = 0; i < rounds && length < rule.longest_lock; ++i) length *= 2;
  return std::min(length, rule.longest_lock);
}

store::ExprPtr compare(store::Op op, std::string column, Millis value) {
  return store::make(op, {store::column(std::move(column), store::Type::integer), store::literal(value, store::Type::integer)});
}

}  // namespace

Task<bool> locked(store::Store& store, std::string subject, Millis now) {
  store::Plan plan = row_of(subject);
  CO_TRY(std::optional<store::Row> row, co_await store.get(plan));
  if (!row) co_return false;
  const Millis until = row->integer("locked_until");
  if (until <= now) co_return false;
  if (until - now > kAccountRule.longest_lock) {
    store::Batch batch;
    batch.add(store::update("lockouts", store::both(equals("subject", subject), equals("locked_until", until)),
                            {{"locked_until", now + kAccountRule.longest_lock}, {"last_at", now}, {"first_at", now}}));
    CO_CHECK(co_await store.mutate(std::move(batch)));
  }
  co_return true;
}

store::Mutation expect_unlocked(const std::string& subject, Millis now, Code otherwise) {
  return store::check("lockouts", store::both(equals("subject", subject), compare(store::Op::gt, "locked_until", now)),
                      store::Mutation::Expect::none, otherwise);
}

Task<bool> count_failure(store::Store& store, std::string subject, LockoutRule rule, Millis now, std::vector<store::Mutation> also,
                         std::vector<store::Mutation> when_locked) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    store::Plan plan = row_of(subject);
    CO_TRY(std::optional<store::Row> row, co_await store.get(plan));
    std::int64_t failures = 0, rounds = 0;
    Millis first_at = now;
    if (row) {
      if (row->integer("locked_until") > now) co_return Error(Code::too_many_attempts, "Too many wrong passwords. Please try again later.");
      rounds = row->integer("rounds");
      // After a lock, and after the window, counting begins again; the rounds are remembered as long as the row.
      const bool fresh = row->integer("locked_until") != 0 || now - row->integer("first_at") >= rule.window;
      if (!fresh) {
        failures = row->integer("failures");
        first_at = row->integer("first_at");
      }
    }
    const bool closes = failures + 1 >= rule.most_failures;
    const std::vector<store::Cell> cells{{"failures", failures + 1},
                                         {"rounds", rounds + (closes ? 1 : 0)},
                                         {"first_at", first_at},
                                         {"last_at", now},
                                         {"locked_until", closes ? now + lock_length(rule, rounds) : Millis{0}}};
    store::Batch batch;
    if (row) {
      // Only on top of what was read: of two failures at once the later counts after the earlier.
      store::ExprPtr same = store::both(equals("failures", row->integer("failures")), equals("locked_until", row->integer("locked_until")));
      same = store::both(std::move(same), equals("first_at", row->integer("first_at")));
      store::Mutation change = store::update("lockouts", store::both(equals("subject", subject), std::move(same)), cells);
      change.expect = store::Mutation::Expect::one;
      batch.add(std::move(change));
    } else {
      std::vector<store::Cell> all = cells;
      all.push_back({"subject", subject});
      batch.add(store::insert("lockouts", std::move(all)));
    }
    for (const store::Mutation& m : also) batch.add(m);
    if (closes) {
      for (const store::Mutation& m : when_locked) batch.add(m);
      batch.add(store::remove("lockouts", compare(store::Op::lt, "last_at", now - kKeep)));
    }
    Result<store::Outcome> done = co_await store.mutate(std::move(batch));
    if (!done.ok() && done.error().code == Code::conflict) continue;
    CO_CHECK(std::move(done));
    co_return closes;
  }
  co_return Error(Code::overloaded, "The server is busy.", "lock-out row contended");
}

void forgive(store::Batch& batch, const std::string& subject, Millis now) {
  store::Mutation closed = store::remove("lockouts", store::both(equals("subject", subject), compare(store::Op::gt, "locked_until", now)));
  closed.expect = store::Mutation::Expect::none;
  closed.otherwise = Code::too_many_attempts;
  batch.add(std::move(closed));
  batch.add(store::remove("lockouts", equals("subject", subject)));
}

std::string account_subject(std::string_view connection, std::string_view account) {
  return token_hash("account\x1f" + std::string(connection) + "\x1f" + std::string(account));
}

std::string address_subject(std::string_view peer) {
  in6_addr v6{};
  std::string key(peer);
  if (inet_pton(AF_INET6, key.c_str(), &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
    key = to_hex(std::string_view(reinterpret_cast<const char*>(v6.s6_addr), 8));
  return token_hash("address\x1f" + key);
}

}  // namespace mandate::identity
