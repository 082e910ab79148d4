#include "store/sqlite/watchers.h"

#include <algorithm>

namespace mandate::store::sqlite {

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

}  // namespace mandate::store::sqlite
