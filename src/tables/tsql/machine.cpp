#include "tables/tsql/machine.h"

#include <algorithm>
#include <set>

#include "tables/tsql/groups.h"
#include "tables/tsql/joins.h"

namespace mandate::tables::tsql {
namespace {

constexpr std::size_t kWorthAnIndex = 16;  // rows
constexpr std::size_t kWorkingSpace = 8;   // results of the largest size

Error too_much(std::string_view what, std::size_t most) {
  return Error(Code::payload_too_large, "The SQL gives more than " + std::to_string(most) + " " + std::string(what) + ".");
}

std::size_t size_of(const Row& row) {
  std::size_t bytes = row.size() * 8;
  for (const Value& value : row)
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
  return bytes;
}

/// A row of a result and what it is sorted by.
struct Made {
  Row row;
  Row keys;
  std::size_t number = 0;  ///< equals keep their order
};

}  // namespace

struct Machine::Impl final : Evaluator {
  Impl(const std::vector<Rows>& loaded_rows, const std::vector<Value>& parameters, const Surroundings& around, const Cost& most)
      : Evaluator(parameters, around, most.until), loaded(loaded_rows), cost(most) {}

  /// Known once for a subselect that does not look at the rows around it.
  Result<std::shared_ptr<const Rows>> subselect(const Query& q, const Frame& frame, bool one) override {
    if (!q.correlated) {
      if (const auto found = kept.find(&q); found != kept.end()) return found->second;
    }
    const std::size_t before = bytes;
    TRY(Rows made, query(q, &frame, one));
    if (q.correlated) bytes = before;  // looked at once and let go
    auto out = std::make_shared<const Rows>(std::move(made));
    if (!q.correlated) kept.emplace(&q, out);
    return out;
  }

  Result<std::int64_t> count_of(const Expr& e, const Frame* outer) {
    Frame around;
    around.outer = outer;
    TRY(Value given, value(e, around));
    TRY(const Value number, convert(std::move(given), Type::integer));
    const auto* whole = std::get_if<std::int64_t>(&number);
    if (!whole || *whole < 0) return fault("A number of rows cannot be negative or null", e.at);
    return *whole;
  }

  Result<Rows> query(const Query& q, const Frame* outer, bool one = false) {
    std::vector<Made> made;
    if (q.selects.size() == 1) {
      TRY(made, select(q, q.selects.front(), outer, one));
    } else {
      for (std::size_t i = 0; i < q.selects.size(); ++i) {
        TRY(std::vector<Made> part, select(q, q.selects[i], outer, false));
        for (Made& each : part) {
          for (std::size_t c = 0; c < each.row.size(); ++c) {
            TRY(each.row[c], convert(std::move(each.row[c]), q.types[c]));
          }
          made.push_back(std::move(each));
        }
        if (i > 0 && !q.all[i - 1]) distinct(made);
        if (made.size() > cost.tuples) return too_much("rows", cost.tuples);
      }
      for (Made& each : made)
        for (const Ordering& ordering : q.order) each.keys.push_back(each.row[*ordering.item]);
      sort(made, q);
    }
    if (q.offset) {
      TRY(const std::int64_t offset, count_of(*q.offset, outer));
      made.erase(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(offset), made.size())));
    }
    if (q.fetch) {
      TRY(const std::int64_t fetch, count_of(*q.fetch, outer));
      if (static_cast<std::uint64_t>(fetch) < made.size()) made.resize(static_cast<std::size_t>(fetch));
    }
    Rows out;
    out.reserve(made.size());
    for (Made& each : made) out.push_back(std::move(each.row));
    return out;
  }

  static void distinct(std::vector<Made>& made) {
    std::set<const Row*, RowLess> seen;
    std::vector<Made> out;
    out.reserve(made.size());  // pointers into it stay
    for (Made& each : made) {
      if (seen.contains(&each.row)) continue;
      out.push_back(std::move(each));
      seen.insert(&out.back().row);
    }
    made = std::move(out);
  }

  static int compare_keys(const Made& a, const Made& b, const Query& q) {
    for (std::size_t i = 0; i < q.order.size(); ++i)
      if (const int way = order(a.keys[i], b.keys[i]); way != 0) return q.order[i].descending ? -way : way;
    return 0;
  }

  static void sort(std::vector<Made>& made, const Query& q) {
    if (q.order.empty()) return;
    for (std::size_t i = 0; i < made.size(); ++i) made[i].number = i;
    std::sort(made.begin(), made.end(), [&](const Made& a, const Made& b) {
      const int way = compare_keys(a, b, q);
      return way < 0 || (way == 0 && a.number < b.number);
    });
  }

  /// What is kept in memory has an end, wherever it is kept.
  Result<void> hold(std::size_t more) {
    bytes += more;
    if (bytes > cost.bytes * kWorkingSpace) return Error(Code::payload_too_large, "The SQL works on too much data.");
    return {};
  }

  /// One row of the result, and its keys when the query has but this select.
  Result<void> make(std::vector<Made>& out, const Query& q, const Select& s, const Frame& frame) {
    CHECK_OK(step());
    Made made;
    made.row.reserve(s.items.size());
    for (const Item& item : s.items) {
      TRY(Value cell, value(*item.value, frame));
      made.row.push_back(std::move(cell));
    }
    if (q.selects.size() == 1)
      for (const Ordering& ordering : q.order) {
        if (ordering.item) {
          made.keys.push_back(made.row[*ordering.item]);
          continue;
        }
        TRY(Value key, value(*ordering.by, frame));
        made.keys.push_back(std::move(key));
      }
    CHECK_OK(hold(size_of(made.row)));
    out.push_back(std::move(made));
    return {};
  }

  Result<std::vector<Made>> select(const Query& q, const Select& s, const Frame* outer, bool one) {
    const bool plain = !s.grouped && !s.distinct;
    std::optional<std::size_t> most;
    if (s.top && !s.percent && !s.ties) {
      TRY(const std::int64_t top, count_of(*s.top, outer));
      most = static_cast<std::size_t>(top);
    }
    std::optional<std::size_t> wanted;
    if (plain && q.selects.size() == 1 && !q.offset) {
      if (one) wanted = 1;
      if (q.order.empty() && most) wanted = std::min(most.value(), wanted.value_or(*most));
    }
    TRY(const Tuples found, joined(s, outer, wanted));
    std::vector<Made> out;
    if (s.grouped) {
      CHECK_OK(grouped(out, q, s, found, outer));
    } else {
      for (std::size_t i = 0; i < found.size(); ++i) {
        const Frame frame{outer, found.at(i), nullptr};
        CHECK_OK(make(out, q, s, frame));
      }
    }
    if (s.distinct) distinct(out);
    if (q.selects.size() == 1) sort(out, q);
    CHECK_OK(cut(out, q, s, most, outer));
    return out;
  }

  /// TOP.
  Result<void> cut(std::vector<Made>& made, const Query& q, const Select& s, std::optional<std::size_t> most, const Frame* outer) {
    if (!s.top) return {};
    if (!most) {
      TRY(const std::int64_t given, count_of(*s.top, outer));
      const auto number = static_cast<std::uint64_t>(given);
      if (s.percent && number > 100) return fault("A percentage is at most 100", s.at);
      most = s.percent ? (made.size() * number + 99) / 100 : number;
    }
    std::size_t end = std::min(*most, made.size());
    if (s.ties && q.selects.size() == 1)
      while (end > 0 && end < made.size() && compare_keys(made[end - 1], made[end], q) == 0) ++end;
    made.resize(end);
    return {};
  }

  Result<void> grouped(std::vector<Made>& out, const Query& q, const Select& s, const Tuples& found, const Frame* outer) {
    std::map<Row, std::size_t, RowValueLess> places;
    std::vector<std::vector<std::size_t>> groups;
    if (s.group.empty()) groups.emplace_back();
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK_OK(step());
      if (s.group.empty()) {
        groups.front().push_back(i);
        continue;
      }
      const Frame frame{outer, found.at(i), nullptr};
      Row key;
      for (const ExprPtr& by : s.group) {
        TRY(Value part, value(*by, frame));
        key.push_back(std::move(part));
      }
      const std::size_t size = size_of(key);
      const auto [place, fresh] = places.try_emplace(std::move(key), groups.size());
      if (fresh) {
        CHECK_OK(hold(size));
        groups.emplace_back();
      }
      groups[place->second].push_back(i);
    }
    for (const std::vector<std::size_t>& group : groups) {
      std::vector<Value> aggregates;
      for (const Expr* e : s.aggregates) {
        Fold fold(*e);
        for (const std::size_t i : group) {
          CHECK_OK(step());
          if (e->aggregate == Aggregate::count_rows) {
            fold.count();
            continue;
          }
          const Frame frame{outer, found.at(i), nullptr};
          TRY(Value each, value(*e->args[0], frame));
          if (const auto* text = std::get_if<std::string>(&each); text && e->distinct) CHECK_OK(hold(text->size()));
          CHECK_OK(fold.add(std::move(each)));
        }
        TRY(Value folded, fold.result());
        aggregates.push_back(std::move(folded));
      }
      const Frame frame{outer, group.empty() ? nullptr : found.at(group.front()), &aggregates};
      if (s.having) {
        TRY(const Truth kept_group, truth(*s.having, frame));
        if (kept_group != Truth::yes) continue;
      }
      CHECK_OK(make(out, q, s, frame));
    }
    return {};
  }

  Result<std::shared_ptr<const Rows>> rows_of(const Source& source, const Frame* outer) {
    // Not owned: what was read outlives the machine.
    if (!source.derived) return std::shared_ptr<const Rows>(std::shared_ptr<const Rows>(), &loaded[source.load]);
    return subselect(*source.derived, outer ? *outer : Frame(), false);
  }

  /// Null when one of the keys is an error: whether it matters is found out row by row.
  Result<const Index*> index_of(const Select& s, std::size_t source, const Rows& rows, const Hint& hint, std::unique_ptr<Index>& own) {
    const bool plain = hint.key->op == Op::column && !s.sources[source].derived;
    const auto place = std::tuple(s.sources[source].load, hint.key->slot, hint.exact);
    if (plain)
      if (const auto found = indexes.find(place); found != indexes.end()) return found->second.get();
    std::vector<Value> keys;
    keys.reserve(rows.size());
    std::vector<const Row*> tuple(s.sources.size());
    for (const Row& row : rows) {
      CHECK_OK(step());
      tuple[source] = &row;
      Result<Value> key = value(*hint.key, Frame{nullptr, tuple.data(), nullptr});
      if (!key.ok()) return nullptr;
      if (const auto* text = std::get_if<std::string>(&*key)) CHECK_OK(hold(text->size()));
      keys.push_back(*std::move(key));
    }
    auto made = std::make_unique<Index>(std::move(keys), hint.exact);
    std::unique_ptr<Index>& kept_index = plain ? indexes[place] : own;
    kept_index = std::move(made);
    return kept_index.get();
  }

  /// The tuples of the sources under all conditions; `wanted`: no more than that many.
  Result<Tuples> joined(const Select& s, const Frame* outer, std::optional<std::size_t> wanted) {
    Tuples out;
    out.width = std::max<std::size_t>(s.sources.size(), 1);
    std::vector<const Row*> tuples(out.width, nullptr);  // one, of nothing yet
    for (std::size_t i = 0; i < s.sources.size(); ++i) {
      TRY(std::shared_ptr<const Rows> rows, rows_of(s.sources[i], outer));
      const bool last = i + 1 == s.sources.size();
      TRY(tuples, join(s, i, std::move(tuples), *rows, outer, last ? wanted : std::nullopt));
      out.held.push_back(std::move(rows));
    }
    if (s.sources.empty() && s.where) {
      const Frame frame{outer, nullptr, nullptr};
      TRY(const Truth holds, truth(*s.where, frame));
      if (holds != Truth::yes) tuples.clear();
    }
    out.rows = std::move(tuples);
    return out;
  }

  /// One more source beside the tuples so far. The last one's tuples also have to stand WHERE.
  Result<std::vector<const Row*>> join(const Select& s, std::size_t source, std::vector<const Row*> left, const Rows& right, const Frame* outer, std::optional<std::size_t> wanted) {
    const Source& from = s.sources[source];
    const std::size_t width = s.sources.size();
    const bool last = source + 1 == width;
    const bool keeps_left = from.join == Join::left || from.join == Join::full, keeps_right = from.join == Join::right || from.join == Join::full;
    std::optional<Hint> hint = hint_for(from.on.get(), source);
    if (!hint && !keeps_left && !keeps_right) hint = hint_for(s.where.get(), source);
    if (right.size() < kWorthAnIndex) hint.reset();
    std::unique_ptr<Index> own;
    const Index* index = nullptr;
    if (hint) {
      TRY(index, index_of(s, source, right, *hint, own));
    }

    std::vector<const Row*> out;
    std::vector<bool> met(keeps_right ? right.size() : 0);
    std::vector<const Row*> tuple(width);
    bool full = false;
    const auto keep = [&]() -> Result<void> {
      if (last && s.where) {
        const Frame frame{outer, tuple.data(), nullptr};
        TRY(const Truth holds, truth(*s.where, frame));
        if (holds != Truth::yes) return {};
      }
      if (out.size() / width >= cost.tuples) return too_much("rows in its joins", cost.tuples);
      out.insert(out.end(), tuple.begin(), tuple.end());
      full = wanted && out.size() / width >= *wanted;
      return {};
    };
    if (wanted && *wanted == 0) return out;
    for (std::size_t t = 0; t < left.size() / width && !full; ++t) {
      std::copy_n(left.begin() + static_cast<std::ptrdiff_t>(t * width), width, tuple.begin());
      std::optional<std::vector<std::uint32_t>> candidates;
      if (index) {
        const Frame frame{outer, tuple.data(), nullptr};
        TRY(const Value probe, value(*hint->probe, frame));
        candidates = index->find(probe);
      }
      bool any = false;
      const std::size_t count = candidates ? candidates->size() : right.size();
      for (std::size_t c = 0; c < count && !full; ++c) {
        CHECK_OK(step());
        const std::size_t r = candidates ? (*candidates)[c] : c;
        tuple[source] = &right[r];
        if (from.on) {
          const Frame frame{outer, tuple.data(), nullptr};
          TRY(const Truth holds, truth(*from.on, frame));
          if (holds != Truth::yes) continue;
        }
        any = true;
        if (keeps_right) met[r] = true;
        CHECK_OK(keep());
      }
      if (any || !keeps_left || full) continue;
      tuple[source] = nullptr;
      CHECK_OK(keep());
    }
    for (std::size_t r = 0; keeps_right && r < right.size() && !full; ++r) {
      if (met[r]) continue;
      std::fill(tuple.begin(), tuple.end(), nullptr);
      tuple[source] = &right[r];
      CHECK_OK(keep());
    }
    return out;
  }

  const std::vector<Rows>& loaded;
  const Cost& cost;
  std::size_t bytes = 0;
  std::map<const Query*, std::shared_ptr<const Rows>> kept;
  std::map<std::tuple<std::size_t, std::size_t, bool>, std::unique_ptr<Index>> indexes;
};

Machine::Machine(const std::vector<Rows>& loaded, const std::vector<Value>& parameters, const Surroundings& around, const Cost& cost)
    : impl_(std::make_unique<Impl>(loaded, parameters, around, cost)) {}
Machine::~Machine() = default;

Result<Rows> Machine::rows(const Query& query) {
  TRY(Rows out, impl_->query(query, nullptr));
  if (out.size() > impl_->cost.rows) return too_much("rows", impl_->cost.rows);
  std::size_t bytes = 0;
  for (const Row& row : out) bytes += size_of(row);
  if (bytes > impl_->cost.bytes) return too_much("bytes", impl_->cost.bytes);
  return out;
}

Result<Tuples> Machine::tuples(const Select& select) {
  std::optional<std::size_t> wanted;
  if (select.top) {
    TRY(const std::int64_t top, impl_->count_of(*select.top, nullptr));
    if (!select.percent) wanted = static_cast<std::size_t>(top);
  }
  return impl_->joined(select, nullptr, wanted);
}

Result<Value> Machine::value(const Expr& e, const Row* const* tuple) {
  const Frame frame{nullptr, tuple, nullptr};
  return impl_->value(e, frame);
}

Result<Value> value_of(const Expr& e, const std::vector<Value>& parameters, const Surroundings& around) {
  const std::vector<Rows> nothing;
  const Cost cost;
  Machine machine(nothing, parameters, around, cost);
  return machine.value(e, nullptr);
}

}  // namespace mandate::tables::tsql
