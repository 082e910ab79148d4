#include "store/sqlite/stamps.h"

#include <sqlite3.h>

namespace mandate::store::sqlite {

Result<Millis> Stamps::next(const std::string& table, Millis now) {
  auto known = last_.find(table);
  if (known == last_.end()) {
    if (!load_) {
      TRY(load_, prepare(db_, "SELECT last FROM mandate_stamps WHERE table_name = ?1"));
    }
    bind(load_.get(), 1, std::string_view(table));
    Millis last = 0;
    const int rc = sqlite3_step(load_.get());
    if (rc == SQLITE_ROW) last = sqlite3_column_int64(load_.get(), 0);
    Result<void> read;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) read = error_of(db_, rc, Access::write);
    sqlite3_reset(load_.get());
    CHECK_OK(std::move(read));
    known = last_.emplace(table, last).first;
  }
  known->second = std::max(now, known->second + 1);
  grown_.insert(table);
  return known->second;
}

Result<void> Stamps::save() {
  if (grown_.empty()) return {};
  if (!store_) {
    TRY(store_, prepare(db_, "INSERT INTO mandate_stamps (table_name, last) VALUES (?1, ?2) "
                             "ON CONFLICT (table_name) DO UPDATE SET last = excluded.last"));
  }
  for (const std::string& table : grown_) {
    bind(store_.get(), 1, std::string_view(table));
    sqlite3_bind_int64(store_.get(), 2, last_[table]);
    CHECK_OK(run(store_.get()));
  }
  grown_.clear();
  return {};
}

}  // namespace mandate::store::sqlite
