#include "store/watchers.h"

#include <algorithm>

namespace mandate::store {

class Watchers::Handle final : public Store::Watch {
 public:
  Handle(std::shared_ptr<List> list, std::shared_ptr<One> one) : list_(std::move(list)), one_(std::move(one)) {}
  ~Handle() override {
    one_->over = true;
    const std::lock_guard lock(list_->mutex);
    std::erase(list_->all, one_);
  }

 private:
  std::shared_ptr<List> list_;
  std::shared_ptr<One> one_;
};

std::unique_ptr<Store::Watch> Watchers::add(std::vector<std::string> tables, Callback changed) {
  auto one = std::make_shared<One>();
  one->tables = std::move(tables);
  one->changed = std::move(changed);
  {
    const std::lock_guard lock(list_->mutex);
    list_->all.push_back(one);
  }
  return std::make_unique<Handle>(list_, std::move(one));
}

std::map<Loop*, std::function<void()>> Watchers::calls_for(const std::set<std::string>& tables) {
  std::map<Loop*, std::vector<std::pair<std::shared_ptr<One>, std::string>>> hits;
  {
    const std::lock_guard lock(list_->mutex);
    for (const auto& one : list_->all)
      for (const std::string& table : one->tables)
        if (tables.contains(table)) hits[one->loop].emplace_back(one, table);
  }
  std::map<Loop*, std::function<void()>> calls;
  for (auto& [loop, list] : hits)
    calls[loop] = [list = std::move(list)] {
      for (const auto& [one, table] : list)
        if (!one->over) one->changed(table);
    };
  return calls;
}

const std::atomic<std::uint64_t>& Watchers::changes(std::string_view table) {
  const std::lock_guard lock(counts_mutex_);
  const auto known = counts_.find(table);
  if (known != counts_.end()) return known->second;
  // Begins where no earlier store of this process can have stood: one may have lived at the same address.
  const auto start = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return counts_.try_emplace(std::string(table), start).first->second;
}

void Watchers::count(const std::set<std::string>& tables) {
  const std::lock_guard lock(counts_mutex_);
  for (const std::string& table : tables)
    if (const auto known = counts_.find(table); known != counts_.end()) known->second.fetch_add(1, std::memory_order_release);
}

}  // namespace mandate::store
