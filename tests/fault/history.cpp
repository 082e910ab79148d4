#include "tests/fault/history.h"

#include <algorithm>

namespace mandate::test {
namespace {

using What = Operation::What;
using Moment = Operation::Moment;

std::map<std::string, std::vector<const Operation*>> by_key(const std::vector<Operation>& operations,
                                                            std::initializer_list<What> sorts) {
  std::map<std::string, std::vector<const Operation*>> out;
  for (const Operation& o : operations)
    if (std::find(sorts.begin(), sorts.end(), o.what) != sorts.end()) out[o.key].push_back(&o);
  return out;
}

/// What is known to have been reached at a moment: the highest version anybody had been told of before it.
class Floor {
 public:
  explicit Floor(const std::vector<const Operation*>& operations) {
    for (const Operation* o : operations)
      if (o->end == End::ok) told_.emplace_back(o->ended, o->version + (o->what == What::write ? 1 : 0));
    std::sort(told_.begin(), told_.end());
    for (std::size_t i = 1; i < told_.size(); ++i) told_[i].second = std::max(told_[i].second, told_[i - 1].second);
  }
  std::int64_t at(Moment moment) const {
    auto next = std::lower_bound(told_.begin(), told_.end(), std::pair(moment, std::int64_t{-1}));
    return next == told_.begin() ? 0 : std::prev(next)->second;
  }

 private:
  std::vector<std::pair<Moment, std::int64_t>> told_;
};

void check_register(const std::string& key, const std::vector<const Operation*>& operations, const Versioned& last,
                    Anomalies& out) {
  const std::string name = "register " + key + ": ";
  std::map<std::int64_t, std::vector<const Operation*>> writers;  // by the version they make
  std::set<std::string> refused;
  for (const Operation* o : operations) {
    if (o->what != What::write) continue;
    if (o->end == End::refused) refused.insert(o->value);
    else writers[o->version + 1].push_back(o);
  }
  const auto made = [&](std::int64_t version, const std::string& value, Moment before) {
    if (version == 0) return value.empty();
    for (const Operation* w : writers[version])
      if (w->value == value && w->began < before) return true;
    return false;
  };
  const auto look = [&](const char* who, std::int64_t version, const std::string& value, Moment until) {
    if (refused.contains(value)) out.push_back(name + who + " the value of a refused write, " + value);
    else if (!made(version, value, until))
      out.push_back(name + who + " version " + std::to_string(version) + " = '" + value + "' that nobody had written");
  };

  std::int64_t acknowledged = 0;
  for (const auto& [version, those] : writers) {
    const auto sure = std::count_if(those.begin(), those.end(), [](const Operation* w) { return w->end == End::ok; });
    if (sure > 1)
      out.push_back(name + "a lost update, version " + std::to_string(version) + " was acknowledged " + std::to_string(sure) +
                    " times");
    if (sure) acknowledged = version;
  }
  const Floor floor(operations);
  for (const Operation* o : operations) {
    if (o->end != End::ok) continue;
    const std::int64_t known = floor.at(o->began);
    if (o->what == What::read) look("a read found", o->version, o->value, o->ended);
    if (o->version < known)
      out.push_back(name + (o->what == What::read ? "a read found version " : "a write was acknowledged over version ") +
                    std::to_string(o->version) + " when " + std::to_string(known) + " was known");
  }
  if (last.version < acknowledged)
    out.push_back(name + "lost, it ends with version " + std::to_string(last.version) + " and " + std::to_string(acknowledged) +
                  " was acknowledged");
  look("it ends with", last.version, last.value, Moment::max());
  for (std::int64_t version = 1; version < last.version; ++version)
    if (writers[version].empty()) out.push_back(name + "nobody made version " + std::to_string(version));
  // Who made the version it holds is known: no other may have been told that it did.
  for (const Operation* w : writers[last.version])
    if (w->end == End::ok && w->value != last.value)
      out.push_back(name + "the acknowledged " + w->value + " is not what it ends with");
}

}  // namespace

std::size_t History::begin(Operation operation) {
  operation.began = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void History::finish(std::size_t id, End end) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  operations_[id].end = end;
  // What has no clear answer may still happen, later than any answer.
  if (end != End::unknown) operations_[id].ended = now;
}

void History::finish(std::size_t id, std::int64_t version, std::string value) {
  finish(id, End::ok);
  const std::lock_guard lock(mutex_);
  operations_[id].version = version;
  operations_[id].value = std::move(value);
}

std::vector<Operation> History::all() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

Anomalies check_single_use(const std::vector<Operation>& operations, const std::set<std::string>& left) {
  Anomalies out;
  for (const auto& [key, those] : by_key(operations, {What::put, What::take})) {
    const std::string name = "token " + key + ": ";
    const Operation* put = nullptr;
    int taken = 0, perhaps = 0;
    Moment first_try = Moment::max();
    for (const Operation* o : those) {
      if (o->what == What::put) put = o;
      else if (o->end == End::ok) ++taken;
      else if (o->end == End::unknown) ++perhaps;
      if (o->what == What::take && o->end != End::refused) first_try = std::min(first_try, o->began);
    }
    const bool here = left.contains(key);
    if (taken > 1) out.push_back(name + "taken " + std::to_string(taken) + " times");
    if (taken && here) out.push_back(name + "taken and still there");
    if ((taken || here) && (!put || put->end == End::refused)) out.push_back(name + "there without having been filed");
    if (!put || put->end != End::ok) continue;
    if (!taken && !perhaps && !here) out.push_back(name + "filed, taken by nobody and gone");
    for (const Operation* o : those)
      if (o->what == What::take && o->end == End::refused && put->ended < o->began && o->ended < first_try)
        out.push_back(name + "refused when nobody else had asked for it");
  }
  return out;
}

Anomalies check_registers(const std::vector<Operation>& operations, const std::map<std::string, Versioned>& last) {
  Anomalies out;
  for (const auto& [key, those] : by_key(operations, {What::write, What::read})) {
    const auto found = last.find(key);
    if (found == last.end()) out.push_back("register " + key + ": gone");
    else check_register(key, those, found->second, out);
  }
  return out;
}

Anomalies check_inserts(const std::vector<Operation>& operations, const std::vector<std::string>& found) {
  Anomalies out;
  std::map<std::string, int> there;
  for (const std::string& key : found) ++there[key];
  const auto asked = by_key(operations, {What::insert});
  for (const auto& [key, times] : there) {
    if (times > 1) out.push_back("row " + key + ": there " + std::to_string(times) + " times");
    if (!asked.contains(key)) out.push_back("row " + key + ": inserted by nobody");
  }
  for (const auto& [key, those] : asked) {
    const auto with = [&](End end) {
      return std::count_if(those.begin(), those.end(), [&](const Operation* o) { return o->end == end; });
    };
    const auto sure = with(End::ok);
    if (sure > 1) out.push_back("row " + key + ": acknowledged " + std::to_string(sure) + " times");
    if (sure && !there.contains(key)) out.push_back("row " + key + ": acknowledged and lost");
    if (!sure && !with(End::unknown) && there.contains(key)) out.push_back("row " + key + ": refused and there");
  }
  return out;
}

}  // namespace mandate::test
