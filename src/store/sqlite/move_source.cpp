#include <algorithm>
#include <filesystem>

#include "store/sqlite/move.h"
#include "store/sqlite/move_mark.h"

namespace mandate::store {

std::vector<std::string> sqlite_files(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed))
    if (at->path().extension() == ".db") out.push_back(at->path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

Result<void> SqliteSource::add(const std::string& tenant, SqliteStore& store) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Error(Code::temporarily_unavailable, "The data is being moved. Try again in a moment.");
  stores_[tenant] = &store;
  return {};
}

Result<MoveMark> SqliteSource::mark() { return sqlite::read_mark(directory_); }

Result<std::vector<std::string>> SqliteSource::tenants() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [tenant, store] : stores_) out.push_back(tenant);
  return out;
}

Result<std::unique_ptr<StillView>> SqliteSource::view(const std::string& tenant) {
  SqliteStore* store = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = stores_.find(tenant);
    if (found == stores_.end()) return Error(Code::server_error, "", "no store of " + tenant);
    store = found->second;
  }
  return store->still();
}

Result<void> SqliteSource::hold(std::chrono::milliseconds longest) {
  std::map<std::string, SqliteStore*> stores;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    stores = stores_;
  }
  for (const auto& [tenant, store] : stores) CHECK_OK(store->hold(longest));
  return {};
}

void SqliteSource::resume() {
  const std::lock_guard lock(mutex_);
  for (const auto& [tenant, store] : stores_) store->go_on();
  closed_ = false;
}

void SqliteSource::give_up() {
  resume();
  const std::lock_guard lock(mutex_);
  for (const auto& [tenant, store] : stores_) store->unfollow();
}

Result<void> SqliteSource::leave(const MoveMark& mark) {
  const std::lock_guard lock(mutex_);
  Result<void> left;
  for (const auto& [tenant, store] : stores_)
    if (!store->leave()) left = Error(Code::timeout, "Writing went on before the switch was made.");
  if (left.ok()) left = sqlite::write_mark(directory_, mark);
  if (left.ok()) return left;
  sqlite::remove_mark(directory_);
  for (const auto& [tenant, store] : stores_) store->come_back();
  return left;
}

}  // namespace mandate::store
