#include "tables/totals.h"

#include <cstring>

namespace mandate::tables {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

void append_value(std::string& out, const store::Value& value) {
  out += static_cast<char>(value.index());
  if (const auto* flag = std::get_if<bool>(&value)) out += *flag ? '1' : '0';
  else if (const auto* whole = std::get_if<std::int64_t>(&value)) append_number(out, static_cast<std::uint64_t>(*whole));
  else if (const auto* real = std::get_if<double>(&value)) append_number(out, std::bit_cast<std::uint64_t>(*real));
  else if (const auto* text = std::get_if<std::string>(&value)) append_text(out, *text);
}

/// Two trees have the same bytes only when they are the same condition. Not for reading.
void append_tree(std::string& out, const store::Expr& expr) {
  out += static_cast<char>(expr.op);
  out += static_cast<char>(expr.type);
  out += static_cast<char>(expr.function);
  out += expr.dictionary ? 'd' : 'b';
  append_value(out, expr.value);
  append_text(out, expr.text);
  append_number(out, expr.args.size());
  for (const store::ExprPtr& arg : expr.args) append_tree(out, *arg);
}

std::string key_of(const store::Plan& plan) {
  std::string out;
  append_text(out, plan.table);
  append_text(out, plan.owner ? std::string_view(plan.owner->column) : std::string_view());
  append_value(out, plan.owner ? plan.owner->value : store::Value{});
  if (plan.where) append_tree(out, *plan.where);
  return out;
}

/// What the numbers of all tables that the plan looks at add up to: each only grows, so the sum stands still only when all do.
std::optional<std::uint64_t> state_of(store::Store& store, const store::Plan& plan) {
  std::vector<std::string> tables{plan.table};
  store::tables_of(plan.where, tables);
  std::uint64_t sum = 0;
  for (const std::string& table : tables) {
    const std::atomic<std::uint64_t>* changes = store.changes(table);
    if (!changes) return std::nullopt;
    sum += changes->load(std::memory_order_acquire);
  }
  return sum;
}

}  // namespace

Totals::Totals(const Clock& clock, Metrics& metrics)
    : clock_(clock),
      counted_(metrics.counter("mandate_tables_totals_total", "Totals of lists by where they came from.", {{"from", "count"}})),
      kept_hits_(metrics.counter("mandate_tables_totals_total", "Totals of lists by where they came from.", {{"from", "kept"}})) {}

Task<std::int64_t> Totals::of(store::Store& store, store::Plan plan) {
  Key key(&store, key_of(plan));
  const std::optional<std::uint64_t> state = state_of(store, plan);
  Total total;
  total.state = state.value_or(0);
  total.begun = clock_.steady();
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = totals_.find(key); found != totals_.end()) {
      const Total& known = found->second;
      const bool same_state = state && known.state == total.state;
      const auto age = total.begun - known.begun;
      const bool young = known.cost > kCheap && age < std::min<std::chrono::steady_clock::duration>(known.cost * kShare, kOldest);
      if (same_state || young) {
        kept_hits_.add();
        co_return known.rows;
      }
    }
  }
  plan.select = {"id"};
  plan.order.clear();
  plan.limit = 0;
  plan.offset = 0;
  plan.count = true;
  plan.most_bytes = 0;
  std::function<bool(const store::RowView&)> none = [](const store::RowView&) { return false; };
  Task<store::Store::Listed> list = store.list(std::move(plan), std::move(none));
  CO_TRY(const store::Store::Listed listed, co_await list);
  counted_.add();
  total.rows = listed.total.value_or(0);
  total.cost = clock_.steady() - total.begun;
  const std::lock_guard lock(mutex_);
  if (totals_.size() >= kKept) totals_.clear();
  totals_[std::move(key)] = total;
  co_return total.rows;
}

}  // namespace mandate::tables
