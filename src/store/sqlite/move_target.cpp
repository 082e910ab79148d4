#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "store/sqlite/catalogue.h"
#include "store/sqlite/directory.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/move.h"
#include "store/sqlite/move_mark.h"
#include "store/sqlite/still.h"

namespace mandate::store {
namespace {

using namespace sqlite;
namespace fs = std::filesystem;

constexpr std::int64_t kTogether = 20'000;  // rows of one transaction

class Target final : public MoveTarget {
 public:
  Target(std::string directory, std::span<const Migration> migrations, const Clock& clock)
      : directory_(std::move(directory)), migrations_(migrations), clock_(clock) {}

  Result<MoveMark> mark() override { return read_mark(directory_); }

  Result<void> begin(const MoveMark& mark) override {
    TRY(const MoveMark there, read_mark(directory_));
    const std::vector<std::string> files = sqlite_files(directory_);
    if (there.state == "left")
      return Error(Code::conflict, directory_ + " holds data that has moved to " + there.place + " already. Name another directory, or take its files away.");
    if (there.state != "arriving" && there.state != "complete" && !files.empty())
      return Error(Code::conflict, directory_ + " holds data already: " + files.front() + ".db. Name another directory.");
    std::error_code failed;
    if (!fs::exists(directory_, failed) && fs::create_directories(directory_, failed)) fs::permissions(directory_, fs::perms::owner_all, failed);
    if (failed) return Error(Code::read_only, "Cannot write to " + directory_ + ": " + failed.message() + ".");
    CHECK_OK(write_mark(directory_, mark));
    for (const std::string& file : files)
      for (const char* suffix : {".db", ".db-wal", ".db-shm", ".db.lock"}) fs::remove(directory_ + "/" + file + suffix, failed);
    // A tenant without rows has a file too, and the list of tenants has one in any case.
    return use("system");
  }

  Result<void> make(const std::string& tenant, const MovedTable& table) override {
    CHECK_OK(use(tenant));
    if (table.app) return in_transaction([&] { return ensure_table(db_.get(), table.name, table.columns); });
    TRY(const std::vector<MovedTable> there, moved_tables(db_.get()));
    if (std::none_of(there.begin(), there.end(), [&](const MovedTable& t) { return t.name == table.name; }))
      return Error(Code::conflict, "The source has a table " + table.name + " that this version does not know.");
    return {};
  }

  Result<void> drop(const std::string& tenant, const std::string& table) override {
    CHECK_OK(use(tenant));
    return in_transaction([&] { return drop_table(db_.get(), table); });
  }

  Result<void> put(const std::string& tenant, const MovedTable& table, std::span<const std::int64_t> replaced,
                   const std::function<Result<void>(const EachMoved&)>& rows) override {
    // Rows have new numbers here.
    if (!replaced.empty()) return Error(Code::server_error, "", "this target cannot follow a source");
    CHECK_OK(use(tenant));
    std::string sql = "INSERT INTO ", values;
    append_identifier(sql, table.name);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      sql += i ? ", " : " (";
      append_identifier(sql, table.columns[i].name);
      values += (i ? ", ?" : "?") + std::to_string(i + 1);
    }
    TRY(const Stmt s, prepare(db_.get(), sql + ") VALUES (" + values + ")"));
    std::int64_t count = 0;
    return in_transaction([&] {
      return rows([&](std::int64_t, const std::vector<Value>& cells) -> Result<void> {
        for (std::size_t i = 0; i < cells.size(); ++i) bind(s.get(), static_cast<int>(i) + 1, cells[i]);
        CHECK_OK(run(s.get()));
        // Nobody looks here before the end, so a table may come in pieces.
        if (++count % kTogether == 0) CHECK_OK(execute(db_.get(), "COMMIT; PRAGMA wal_checkpoint(PASSIVE); BEGIN IMMEDIATE"));
        return {};
      });
    });
  }

  Result<void> all(const std::string& tenant, const MovedTable& table, const EachMoved& each) override {
    CHECK_OK(use(tenant));
    return moved_rows(db_.get(), table, nullptr, each);
  }

  Result<void> some(const std::string&, const MovedTable&, std::span<const std::int64_t>, const EachMoved&) override {
    return Error(Code::server_error, "", "this target cannot follow a source");
  }

  Result<void> complete(const MoveMark& mark) override {
    CHECK_OK(close());
    return write_mark(directory_, mark);
  }

  Result<void> open(const MoveMark& mark) override { return write_mark(directory_, mark); }

 private:
  Result<void> use(const std::string& tenant) {
    if (tenant == tenant_) return {};
    CHECK_OK(close());
    const std::string path = directory_ + "/" + tenant + ".db";
    TRY(lock_, claim(path));
    TRY(db_, connect({path, {}}, Access::write));
    CHECK_OK(make_own_tables(db_.get()));
    CHECK_OK(check_known(db_.get(), migrations_));
    for (const Migration& step : migrations_) CHECK_OK(in_transaction([&] { return apply(db_.get(), step, clock_.now_ms()); }));
    tenant_ = tenant;
    return {};
  }

  /// All of it in the file itself, on the disk.
  Result<void> close() {
    if (!db_) return {};
    CHECK_OK(execute(db_.get(), "PRAGMA wal_checkpoint(TRUNCATE)"));
    db_.reset();
    lock_ = Lock();
    tenant_.clear();
    return {};
  }

  template <class Work>
  Result<void> in_transaction(const Work& work) {
    CHECK_OK(execute(db_.get(), "BEGIN IMMEDIATE"));
    Result<void> done = work();
    if (done.ok()) done = execute(db_.get(), "COMMIT");
    if (!done.ok() && !sqlite3_get_autocommit(db_.get())) (void)execute(db_.get(), "ROLLBACK");
    return done;
  }

  std::string directory_;
  std::span<const Migration> migrations_;
  const Clock& clock_;
  std::string tenant_;
  Lock lock_;
  Db db_;
};

}  // namespace

std::unique_ptr<MoveTarget> sqlite_target(std::string directory, std::span<const Migration> migrations, const Clock& clock) {
  return std::make_unique<Target>(std::move(directory), migrations, clock);
}

}  // namespace mandate::store
