#include "store/move.h"

#include <strings.h>

#include <algorithm>

namespace mandate::store {
namespace {

constexpr int kRounds = 50;  // of catching up, before the switch is tried however much still changes

bool same(const ColumnSpec& a, const ColumnSpec& b) {
  return ::strcasecmp(a.name.c_str(), b.name.c_str()) == 0 && a.type == b.type && a.unique == b.unique && a.index == b.index && a.dictionary == b.dictionary;
}

/// Whether `now` is `before`, perhaps with more columns behind.
bool grown_from(const MovedTable& now, const MovedTable& before) {
  return now.columns.size() >= before.columns.size() && std::equal(before.columns.begin(), before.columns.end(), now.columns.begin(), same);
}

std::string grouped(std::int64_t number) {
  std::string out = std::to_string(number);
  for (int at = static_cast<int>(out.size()) - 3; at > 0; at -= 3) out.insert(static_cast<std::size_t>(at), " ");
  return out;
}

std::string milliseconds(std::chrono::steady_clock::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

class Move {
 public:
  Move(MoveSource& source, MoveTarget& target, const MoveOptions& options, const SayMove& say)
      : source_(source), target_(target), options_(options), say_(say) {}

  /// Until the target holds what the source does, which then stands still.
  Result<void> arrive() {
    TRY(follows_, source_.follow(say_));
    if (!follows_) {
      CHECK_OK(source_.hold(std::chrono::milliseconds::max()));
      say_("Writing stands still from now on, reading goes on.");
      CHECK_OK(carry_all());
      return compare_all();
    }
    CHECK_OK(carry_all());
    for (int round = 0; round < kRounds; ++round) {
      TRY(const std::size_t changes, carry_all());
      say_("Caught up with " + grouped(static_cast<std::int64_t>(changes)) + " changed rows.");
      if (changes < options_.few) break;
    }
    CHECK_OK(compare_all());
    return {};
  }

  /// Holds the source and carries over what is left. False when that took too long.
  Result<bool> settle() {
    CHECK_OK(carry_compared());  // what came while the sides were compared
    const auto start = std::chrono::steady_clock::now();
    Result<void> done = source_.hold(options_.longest_hold);
    bool busy = !done.ok() && done.error().code == Code::timeout;
    if (done.ok()) {
      done = carry_compared();
      busy = !done.ok() && source_.let_go();
    }
    held_for_ = std::chrono::steady_clock::now() - start;
    if (done.ok() && held_for_ < options_.longest_hold) return true;
    source_.resume();
    if (!busy) CHECK_OK(std::move(done));
    return false;
  }

  bool follows() const { return follows_; }
  std::chrono::steady_clock::duration held_for() const { return held_for_; }
  std::int64_t rows() const { return rows_; }
  std::size_t tables() const {
    std::size_t sum = 0;
    for (const auto& [tenant, tables] : known_) sum += tables.size();
    return sum;
  }

 private:
  using Tables = std::map<std::string, MovedTable>;

  Result<std::size_t> carry_all() {
    std::size_t changes = 0;
    TRY(const std::vector<std::string> tenants, source_.tenants());
    for (const std::string& tenant : tenants) {
      TRY(const std::unique_ptr<StillView> view, source_.view(tenant));
      changes += view->changes().count();
      CHECK_OK(carry(tenant, *view));
    }
    return changes;
  }

  /// What was touched since the last look, compared as it is carried.
  Result<void> carry_compared() {
    TRY(const std::vector<std::string> tenants, source_.tenants());
    for (const std::string& tenant : tenants) {
      TRY(const std::unique_ptr<StillView> view, source_.view(tenant));
      CHECK_OK(carry(tenant, *view));
      for (const auto& [name, table] : known_[tenant]) {
        const bool fresh = fresh_.contains(name);
        const auto touched = view->changes().rows.find(name);
        if (fresh || touched != view->changes().rows.end()) CHECK_OK(compare(tenant, *view, table, fresh ? nullptr : &touched->second));
      }
    }
    return {};
  }

  Result<void> go_on() const {
    if (options_.stop && *options_.stop) return Error(Code::temporarily_unavailable, "The move was told to stop. Nothing was switched: run it again.");
    return {};
  }

  /// Brings the target to where the view stands.
  Result<void> carry(const std::string& tenant, StillView& view) {
    CHECK_OK(go_on());
    const bool first = !known_.contains(tenant);
    Tables& known = known_[tenant];
    fresh_.clear();
    TRY(const std::vector<MovedTable> tables, view.tables());
    for (auto before = known.begin(); before != known.end();) {
      const auto now = std::find_if(tables.begin(), tables.end(), [&](const MovedTable& t) { return t.name == before->first; });
      if (now != tables.end() && grown_from(*now, before->second) && !view.changes().dropped.contains(before->first)) {
        ++before;
        continue;
      }
      CHECK_OK(target_.drop(tenant, before->first));
      before = known.erase(before);
    }
    for (const MovedTable& table : tables) {
      const auto before = known.find(table.name);
      if (before == known.end() || before->second.columns.size() != table.columns.size()) CHECK_OK(target_.make(tenant, table));
      if (before == known.end()) {
        std::int64_t count = 0;
        CHECK_OK(target_.put(tenant, table, {}, [&](const EachMoved& put) {
          return view.all(table, [&](std::int64_t number, const std::vector<Value>& cells) -> Result<void> {
            CHECK_OK(go_on());
            if (++count % kTellEvery == 0) say_(tenant + "/" + table.name + ": " + grouped(count) + " rows …");
            return put(number, cells);
          });
        }));
        rows_ += count;
        fresh_.insert(table.name);
      } else if (const auto touched = view.changes().rows.find(table.name); touched != view.changes().rows.end()) {
        const RowNames& names = touched->second;
        CHECK_OK(target_.put(tenant, table, names, [&](const EachMoved& put) { return view.some(table, names, put); }));
      }
      known.insert_or_assign(table.name, table);
    }
    if (first) say_("Copied " + tenant + ": " + std::to_string(tables.size()) + " tables.");
    return {};
  }

  /// Row by row, at a moment that both sides stand at.
  Result<void> compare_all() {
    TRY(const std::vector<std::string> tenants, source_.tenants());
    std::int64_t rows = 0;
    for (const std::string& tenant : tenants) {
      TRY(const std::unique_ptr<StillView> view, source_.view(tenant));
      CHECK_OK(carry(tenant, *view));
      for (const auto& [name, table] : known_[tenant]) {
        TRY(const MoveSum sum, compare(tenant, *view, table, nullptr));
        rows += sum.rows();
      }
    }
    rows_ = rows;
    say_("Compared " + grouped(rows) + " rows of " + std::to_string(tables()) + " tables: counts and checksums agree.");
    return {};
  }

  Result<MoveSum> compare(const std::string& tenant, StillView& view, const MovedTable& table, const RowNames* some) {
    MoveSum there, here;
    const auto adding = [this](MoveSum& sum) {
      return [this, &sum](std::int64_t, const std::vector<Value>& cells) -> Result<void> {
        CHECK_OK(go_on());
        sum.add(cells);
        return {};
      };
    };
    if (some) {
      CHECK_OK(view.some(table, *some, adding(there)));
      CHECK_OK(target_.some(tenant, table, *some, adding(here)));
    } else {
      CHECK_OK(view.all(table, adding(there)));
      CHECK_OK(target_.all(tenant, table, adding(here)));
    }
    if (there == here || view.gone(table.name)) return here;
    return Error(Code::corrupt, "The two sides differ in " + tenant + "/" + table.name + ": " + grouped(there.rows()) + " rows with checksum " +
                                    there.hex() + " against " + grouped(here.rows()) + " with " + here.hex() + ". Nothing was switched.");
  }

  static constexpr std::int64_t kTellEvery = 250'000;

  MoveSource& source_;
  MoveTarget& target_;
  const MoveOptions& options_;
  const SayMove& say_;
  bool follows_ = true;
  std::map<std::string, Tables> known_;  ///< what the target has, by tenant
  std::set<std::string> fresh_;          ///< tables that the last carry() copied whole
  std::int64_t rows_ = 0;
  std::chrono::steady_clock::duration held_for_{};
};

/// The source was left by a move that did not come to its end, or came to it already.
Result<void> finish(MoveTarget& target, const MoveMark& left, const std::string& from, const SayMove& say) {
  TRY(const MoveMark there, target.mark());
  if (there.id != left.id || there.state == "arriving")
    return Error(Code::conflict, "This data has moved to " + left.place + " already, by move " + left.id + "; what is named now is another place.");
  if (there.state == "complete") CHECK_OK(target.open({"arrived", left.id, from}));
  say("The data had been moved already: it is at " + left.place + ".");
  return {};
}

/// One line that says what is to be done. Errors that have such a line of their own keep it.
Error in_words(const Error& error) {
  const bool of_an_engine = !error.detail.empty() && (error.hint.empty() || error.code == Code::overloaded || error.code == Code::timeout ||
                                                      error.code == Code::read_only || error.code == Code::server_error);
  if (!of_an_engine) return error;
  return Error(error.code, "The move was interrupted: " + error.detail + ". Mend that and run the same command again; until it is done the source serves on.");
}

/// Until the source is left.
Result<void> carry_over(Move& move, MoveSource& source, MoveTarget& target, const std::string& id, const std::string& from,
                        const std::string& to, const MoveOptions& options, const SayMove& say) {
  CHECK_OK(move.arrive());
  for (int tries = 0;; ++tries) {
    if (tries == options.tries)
      return Error(Code::overloaded, "The source changes faster than it can be followed: the switch took longer than " +
                                         milliseconds(options.longest_hold) + " each time. Try again when less is written.");
    bool settled = true;
    if (move.follows()) {
      TRY(settled, move.settle());
    }
    if (!settled) {
      say("The switch took longer than " + milliseconds(options.longest_hold) + ": writing goes on, it will be tried again.");
      continue;
    }
    CHECK_OK(target.complete({"complete", id, from}));
    // From here on the source is not written any more, and until the next line no server starts on either side.
    Result<void> gone = source.leave({"left", id, to});
    if (gone.ok()) return gone;
    source.resume();
    if (gone.error().code != Code::timeout) return gone;
    say("The switch took longer than " + milliseconds(options.longest_hold) + ": writing goes on, it will be tried again.");
  }
}

}  // namespace

bool OrderOfNames::operator()(const RowName& a, const RowName& b) const {
  const auto before = [](const Value& x, const Value& y) {
    if (x.index() != y.index()) return x.index() < y.index();
    if (const auto* whole = std::get_if<std::int64_t>(&x)) return *whole < std::get<std::int64_t>(y);
    if (const auto* text = std::get_if<std::string>(&x)) return *text < std::get<std::string>(y);
    if (const auto* real = std::get_if<double>(&x)) return *real < std::get<double>(y);
    if (const auto* flag = std::get_if<bool>(&x)) return *flag < std::get<bool>(y);
    return false;
  };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), before);
}

std::size_t StillView::Changes::count() const {
  std::size_t sum = dropped.size();
  for (const auto& [table, numbers] : rows) sum += numbers.size();
  return sum;
}

Result<void> move_all(MoveSource& source, MoveTarget& target, const std::string& id, const std::string& from, const std::string& to,
                      const MoveOptions& options, const SayMove& say) {
  TRY(const MoveMark left, source.mark());
  if (left.state == "left") return finish(target, left, from, say);
  if (auto begun = target.begin({"arriving", id, from}); !begun.ok()) return in_words(begun.error());
  Move move(source, target, options, say);
  if (auto carried = carry_over(move, source, target, id, from, to, options, say); !carried.ok()) {
    source.give_up();
    return in_words(carried.error());
  }
  CHECK_OK(target.open({"arrived", id, from}));
  say("Moved " + grouped(move.rows()) + " rows of " + std::to_string(move.tables()) + " tables." +
      (move.follows() ? " Writers waited " + milliseconds(move.held_for()) + "." : ""));
  return {};
}

}  // namespace mandate::store
