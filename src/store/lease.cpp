#include "store/lease.h"

namespace mandate::store {
namespace {

constexpr const char* kTable = "leases";

}  // namespace

Lease::Lease(std::string name, std::string holder, std::chrono::milliseconds length, const Clock& clock)
    : name_(std::move(name)), holder_(std::move(holder)), length_(length), clock_(clock) {}

ExprPtr Lease::mine() const {
  return both(equals("name", name_), both(equals("holder", holder_), equals("fence", fence_)));
}

Mutation Lease::fenced(Code otherwise) const {
  // Writes what is there: the row stays locked until the commit, so nobody takes the lease in between.
  Mutation m = update(kTable, mine(), {{"length", length_.count()}});
  m.expect = Mutation::Expect::one;
  m.otherwise = otherwise;
  return m;
}

bool Lease::got(Moment since, std::int64_t fence) {
  fence_ = fence;
  until_ = since + length_;
  return held();
}

Task<bool> Lease::keep(Store& store) {
  const Moment now = clock_.steady();
  if (held()) {
    if (until_ - now > length_ * 2 / 3) co_return true;
    Task<bool> renewing = renew(store, now);
    co_return co_await renewing;
  }
  until_ = Moment::min();
  Plan plan;
  plan.table = kTable;
  plan.where = equals("name", name_);
  Task<std::optional<Row>> looking = store.get(std::move(plan));
  CO_TRY(const std::optional<Row> row, co_await looking);
  if (!row) {
    Task<bool> making = make(store, now);
    co_return co_await making;
  }
  const Seen there{std::string(row->text("holder")), row->integer("fence"), row->integer("beat")};
  const Moment looked = clock_.steady();
  if (there != seen_) {
    seen_ = there;
    seen_at_ = looked;
  }
  // Ours without our knowing: the answer to the taking was lost, or we were away for longer than we may.
  const bool free = there.holder.empty() || there.holder == holder_;
  const std::chrono::milliseconds promised(row->integer("length"));
  if (!free && looked - seen_at_ < promised + promised / 4) co_return false;
  Task<bool> taking = take(store, looked, there);
  co_return co_await taking;
}

Task<bool> Lease::make(Store& store, Moment now) {
  Batch batch;
  batch.add(insert(kTable, {{"name", name_}, {"holder", holder_}, {"fence", std::int64_t{1}}, {"beat", std::int64_t{0}}, {"length", length_.count()}}));
  Task<Outcome> making = store.mutate(std::move(batch));
  const Result<Outcome> made = co_await making;
  if (!made.ok() && made.error().code == Code::conflict) co_return false;
  if (!made.ok()) co_return made.error();
  beat_ = 0;
  co_return got(now, 1);
}

Task<bool> Lease::take(Store& store, Moment now, Seen from) {
  ExprPtr same = both(equals("holder", from.holder), both(equals("fence", from.fence), equals("beat", from.beat)));
  Mutation m = update(kTable, both(equals("name", name_), std::move(same)),
                      {{"holder", holder_}, {"fence", from.fence + 1}, {"beat", std::int64_t{0}}, {"length", length_.count()}});
  m.expect = Mutation::Expect::one;
  Batch batch;
  batch.add(std::move(m));
  Task<Outcome> taking = store.mutate(std::move(batch));
  const Result<Outcome> taken = co_await taking;
  if (!taken.ok() && taken.error().code == Code::conflict) co_return false;
  if (!taken.ok()) co_return taken.error();
  beat_ = 0;
  co_return got(now, from.fence + 1);
}

Task<bool> Lease::renew(Store& store, Moment now) {
  // A new number with every attempt, so that one whose answer was lost counts as well.
  Mutation m = update(kTable, mine(), {{"beat", ++beat_}, {"length", length_.count()}});
  m.expect = Mutation::Expect::one;
  Batch batch;
  batch.add(std::move(m));
  Task<Outcome> renewing = store.mutate(std::move(batch));
  const Result<Outcome> renewed = co_await renewing;
  if (renewed.ok()) co_return got(now, fence_);
  if (renewed.error().code != Code::conflict) co_return renewed.error();
  until_ = Moment::min();
  co_return false;
}

Task<void> Lease::give_back(Store& store) {
  if (!held()) co_return ok();
  Batch batch;
  batch.add(update(kTable, mine(), {{"holder", std::string()}}));
  until_ = Moment::min();
  Task<Outcome> giving = store.mutate(std::move(batch));
  CO_TRY([[maybe_unused]] const Outcome given, co_await giving);
  co_return ok();
}

}  // namespace mandate::store
