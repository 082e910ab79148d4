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
    if (table.app) {
      return in_transaction([&]() -> Result<void> {
        CHECK_OK(ensure_table(db_.get(), table.name, table.columns));
        return index_key(tenant, table);
      });
    }
    TRY(const std::vector<MovedTable> there, moved_tables(db_.get()));
    if (std::none_of(there.begin(), there.end(), [&](const MovedTable& t) { return t.name == table.name; }))
      return Error(Code::conflict, "The source has a table " + table.name + " that this version does not know.");
    return {};
  }

  Result<void> drop(const std::string& tenant, const std::string& table) override {
    CHECK_OK(use(tenant));
    return in_transaction([&] { return drop_table(db_.get(), table); });
  }

  Result<void> put(const std::string& tenant, const MovedTable& table, const RowNames& replaced,
                   const std::function<Result<void>(const EachMoved&)>& rows) override {
    // Rows have new numbers here.
    if (!replaced.empty() && table.key.empty()) return Error(Code::server_error, "", "this target cannot follow a source that names rows by numbers");
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
    return in_transaction([&]() -> Result<void> {
      CHECK_OK(take_away(table, replaced));
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

  Result<void> some(const std::string& tenant, const MovedTable& table, const RowNames& names, const EachMoved& each) override {
    CHECK_OK(use(tenant));
    return moved_rows(db_.get(), table, &names, each);
  }

  Result<void> complete(const MoveMark& mark) override {
    for (const auto& [tenant, table] : indexed_) {
      CHECK_OK(use(tenant));
      CHECK_OK(execute(db_.get(), "DROP INDEX IF EXISTS " + index_name(table)));
    }
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

  Result<void> take_away(const MovedTable& table, const RowNames& names) {
    if (names.empty()) return {};
    std::string sql = "DELETE FROM ";
    append_identifier(sql, table.name);
    for (std::size_t i = 0; i < table.key.size(); ++i) sql += (i ? " AND " : " WHERE ") + key_condition(table.key[i], i);
    TRY(const Stmt s, prepare(db_.get(), sql));
    for (const RowName& name : names) {
      for (std::size_t i = 0; i < name.size(); ++i) bind(s.get(), static_cast<int>(i) + 1, name[i]);
      CHECK_OK(run(s.get()));
    }
    return {};
  }

  static std::string index_name(const std::string& table) {
    std::string out;
    append_identifier(out, "mandate_move:" + table);
    return out;
  }

  /// A key that is not unique has no index of its own: without one, every row that is named would be searched for.
  Result<void> index_key(const std::string& tenant, const MovedTable& table) {
    if (table.key.empty() || table.key_is_unique) return {};
    std::string columns;
    for (const std::string& column : table.key) {
      columns += columns.empty() ? "" : ", ";
      append_identifier(columns, column);
    }
    std::string sql = "CREATE INDEX IF NOT EXISTS " + index_name(table.name) + " ON ";
    append_identifier(sql, table.name);
    CHECK_OK(execute(db_.get(), sql + " (" + columns + ")"));
    indexed_.emplace(tenant, table.name);
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
  std::set<std::pair<std::string, std::string>> indexed_;  ///< tenants and tables that have an index until the move is over
  Lock lock_;
  Db db_;
};

}  // namespace

std::unique_ptr<MoveTarget> sqlite_target(std::string directory, std::span<const Migration> migrations, const Clock& clock) {
  return std::make_unique<Target>(std::move(directory), migrations, clock);
}

}  // namespace mandate::store
