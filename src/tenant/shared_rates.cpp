#include "tenant/shared_rates.h"

#include <charconv>

namespace mandate::tenant {
namespace {

constexpr const char* kTable = "rate_news";
constexpr std::size_t kMostTold = 4096;  ///< buckets in a row: about 100 KB
constexpr std::int64_t kPiece = 200;     ///< rows in a read
constexpr Millis kMinute = 60'000;

store::ExprPtr at(store::Op op, Millis moment) {
  return store::make(op, {store::column("at", store::Type::integer), store::literal(moment, store::Type::integer)});
}

Task<Millis> newest(store::Store& system) {
  store::Plan plan;
  plan.table = kTable;
  plan.select = {"at"};
  plan.order.push_back({store::column("at"), true});
  plan.limit = 1;
  Task<std::optional<store::Row>> reading = system.get(std::move(plan));
  CO_TRY(const std::optional<store::Row> row, co_await reading);
  co_return row ? row->integer("at") : Millis{0};
}

template <class Number>
bool eat(std::string_view& text, Number& number, int base, char end) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || rest == text.data() + text.size() || *rest != end) return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + 1);
  return true;
}

}  // namespace

std::string rate_news_text(const std::vector<RateLimiter::Taken>& taken) {
  std::string text;
  char hex[17];
  for (const RateLimiter::Taken& each : taken) {
    const auto end = std::to_chars(hex, hex + sizeof hex, each.bucket, 16).ptr;
    text.append(hex, end);
    text += ' ' + std::to_string(each.count) + ' ' + std::to_string(each.per_minute) + ';';
  }
  return text;
}

std::vector<RateLimiter::Taken> rate_news_of(std::string_view text) {
  std::vector<RateLimiter::Taken> out;
  while (!text.empty()) {
    RateLimiter::Taken each;
    std::string_view entry = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    const std::string whole = std::string(entry) + ';';
    entry = whole;
    if (eat(entry, each.bucket, 16, ' ') && eat(entry, each.count, 10, ' ') && eat(entry, each.per_minute, 10, ';') && entry.empty() &&
        each.count > 0 && each.per_minute > 0)
      out.push_back(each);
  }
  return out;
}

SharedRates::SharedRates(RateLimiter& limiter, store::Store& system, std::string node, const Clock& clock)
    : limiter_(limiter), system_(system), node_(std::move(node)), clock_(clock) {
  limiter_.share();
}

Task<void> SharedRates::exchange() {
  Task<void> telling = tell();
  const Result<void> told = co_await telling;
  Task<void> listening = listen();
  const Result<void> listened = co_await listening;
  co_return told.ok() ? listened : told;
}

Task<void> SharedRates::tell() {
  const std::vector<RateLimiter::Taken> taken = limiter_.untold(kMostTold);
  if (taken.empty()) co_return ok();
  store::Batch batch;
  batch.add(store::insert(kTable, {{"at", store::Stamp{}}, {"node", node_}, {"taken", rate_news_text(taken)}}));
  Task<store::Outcome> writing = system_.mutate(std::move(batch));
  const Result<store::Outcome> written = co_await writing;
  if (written.ok()) co_return ok();
  limiter_.not_told(taken);
  co_return written.error();
}

Task<void> SharedRates::listen() {
  Millis now = 0;
  if (!begun_) {
    // Stamps are the writers' time; the later of theirs and ours is taken for now.
    Task<Millis> asking = newest(system_);
    CO_TRY(const Millis last, co_await asking);
    now = std::max(last, clock_.now_ms());
    heard_ = std::max(heard_, now - kMinute);
  }
  for (;;) {
    store::Plan plan;
    plan.table = kTable;
    plan.where = at(store::Op::gt, heard_);
    plan.order.push_back({store::column("at"), false});
    plan.limit = kPiece;
    Task<std::vector<store::Row>> reading = store::rows(system_, std::move(plan));
    CO_TRY(const std::vector<store::Row> news, co_await reading);
    for (const store::Row& row : news) {
      heard_ = row.integer("at");
      if (row.text("node") == node_) continue;
      const std::chrono::milliseconds ago(begun_ ? 0 : std::max(Millis{0}, now - heard_));
      for (const RateLimiter::Taken& each : rate_news_of(row.text("taken"))) limiter_.heard(each, ago);
    }
    if (static_cast<std::int64_t>(news.size()) < kPiece) break;
  }
  begun_ = true;
  co_return ok();
}

Task<void> sweep_rate_news(store::Store& system) {
  Task<Millis> asking = newest(system);
  CO_TRY(const Millis last, co_await asking);
  store::Batch batch;
  batch.add(store::remove(kTable, at(store::Op::lt, last - 2 * kMinute)));
  Task<store::Outcome> sweeping = system.mutate(std::move(batch));
  CO_TRY([[maybe_unused]] const store::Outcome swept, co_await sweeping);
  co_return ok();
}

}  // namespace mandate::tenant
