// Rows of a SQLite file. It may come from anywhere, so nothing in it is believed: it is opened for reading only, its schema may call no
// functions that do things, work without end is ended, and every text is looked at. A server may be at work on it: rows are read some
// at a time behind the last key, and nothing is held while they are sent.
#include <sqlite3.h>

#include <cmath>
#include <deque>

#include "base/base64.h"
#include "base/url.h"
#include "import/rows.h"

namespace mandate::cli {
namespace {

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;
using Value = std::unique_ptr<sqlite3_value, Close>;

/// What is read at once: while it is, a server that writes waits.
constexpr std::size_t kPageRows = 200, kPageBytes = 1 << 20;
/// A cell is no longer; rows are refused at 4 MB later, with their number.
constexpr int kLongestCell = 16 << 20;
/// Steps of SQLite's machine between two rows: some seconds.
constexpr int kStepsOfTick = 10'000, kMostTicks = 20'000;
constexpr int kBusyMs = 10'000;
/// Rows that a server may add while its file is read; more, and the file leads in a ring.
constexpr std::uint64_t kMostNewRows = 10'000'000;

std::string identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view text_at(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return text ? std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))) : std::string_view();
}

class SqliteRows final : public RowFile {
 public:
  Result<void> open(const std::string& path, const RowsOptions& options) {
    sqlite3* db = nullptr;
    const int rc = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_EXRESCODE, nullptr);
    db_.reset(db);
    if (rc != SQLITE_OK) return problem(path);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kLongestCell);
    sqlite3_busy_timeout(db, kBusyMs);
    sqlite3_progress_handler(db, kStepsOfTick, [](void* self) { return static_cast<int>(++static_cast<SqliteRows*>(self)->ticks_ > kMostTicks); }, this);
    CHECK_OK(run("PRAGMA cell_size_check = ON"));
    CHECK_OK(run("PRAGMA mmap_size = 0"));
    CHECK_OK(check_table(options.source_table));
    const std::string table = identifier(options.source_table);
    {
      TRY(const Statement count, prepare("SELECT count(*) FROM " + table));
      if (step(count.get()) != SQLITE_ROW) return problem(path);
      size_ = static_cast<std::uint64_t>(sqlite3_column_int64(count.get(), 0));
    }
    read_types(options);
    std::vector<std::string> there;
    {
      TRY(const Statement all, prepare("SELECT * FROM " + table));
      for (int i = 0; i < sqlite3_column_count(all.get()); ++i) there.emplace_back(sqlite3_column_name(all.get(), i));
    }
    CHECK_OK(check_named(there, options));
    TRY(names_, names_of(there, options));
    CHECK_OK(find_key(table, there));
    for (const std::string& name : names_) {
      const auto type = types_.find(ascii_lower(name));
      truths_.push_back(type != types_.end() && type->second == "boolean");
      versions_.push_back(iequals(name, "version") || iequals(name, "__version"));
    }
    return {};
  }

  Result<bool> next(FileRow& row) override {
    if (page_.empty() && !failed_) CHECK_OK(read_page());
    if (page_.empty()) {
      if (failed_) return *failed_;
      return false;
    }
    row = std::move(page_.front());
    page_.pop_front();
    done_ = static_cast<std::uint64_t>(row.line);
    return true;
  }

  std::uint64_t done() const override { return done_; }
  std::uint64_t size() const override { return size_; }

 private:
  Error problem(const std::string& what) const { return Error(Code::bad_request, what + ": " + sqlite3_errmsg(db_.get())); }

  int step(sqlite3_stmt* statement) {
    ticks_ = 0;
    return sqlite3_step(statement);
  }

  Result<Statement> prepare(const std::string& sql) {
    sqlite3_stmt* made = nullptr;
    ticks_ = 0;
    if (sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &made, nullptr) != SQLITE_OK) return problem("the file cannot be read");
    return Statement(made);
  }

  Result<void> run(const std::string& sql) {
    TRY(const Statement statement, prepare(sql));
    int rc = SQLITE_ROW;
    while (rc == SQLITE_ROW) rc = step(statement.get());
    if (rc != SQLITE_DONE) return problem("the file cannot be read");
    return {};
  }

  /// A view or a virtual table could do anything while it is read.
  Result<void> check_table(const std::string& name) {
    TRY(const Statement look, prepare("SELECT rootpage FROM sqlite_master WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')"));
    sqlite3_bind_text(look.get(), 1, name.c_str(), -1, SQLITE_TRANSIENT);
    const int rc = step(look.get());
    if (rc == SQLITE_DONE) return Error(Code::bad_request, "the file has no such table: '" + name + "'; name it with --source-table");
    if (rc != SQLITE_ROW) return problem("the file cannot be read");
    if (sqlite3_column_int64(look.get(), 0) > 0) return {};
    return Error(Code::bad_request, "'" + name + "' is no table of the file with rows of its own, but a view or the like");
  }

  /// What tells a row from those before it: its number, or the primary key of a table without such.
  Result<void> find_key(const std::string& table, const std::vector<std::string>& there) {
    std::vector<std::string> key;
    for (const std::string_view number : {"rowid", "_rowid_", "oid"}) {
      if (std::ranges::any_of(there, [&](const std::string& name) { return iequals(name, number); })) continue;
      if (prepare("SELECT " + std::string(number) + " FROM " + table).ok()) key = {std::string(number)};
      break;
    }
    if (key.empty()) {
      TRY(const Statement columns, prepare("PRAGMA table_info(" + table + ")"));
      std::map<int, std::string> primary;
      while (step(columns.get()) == SQLITE_ROW)
        if (const int place = sqlite3_column_int(columns.get(), 5); place > 0) primary[place] = identifier(text_at(columns.get(), 1));
      for (const auto& [place, name] : primary) key.push_back(name);
    }
    if (key.empty()) return Error(Code::bad_request, "the table's columns hide the numbers of its rows, and it has no primary key");
    std::string names, places;
    for (std::size_t i = 0; i < key.size(); ++i) {
      names += (i ? ", " : "") + key[i];
      places += (i ? ", ?" : "?") + std::to_string(i + 1);
    }
    const std::string select = "SELECT *, " + names + " FROM " + table, order = " ORDER BY " + names + " LIMIT " + std::to_string(kPageRows);
    key_.resize(key.size());
    TRY(first_, prepare(select + order));
    TRY(behind_, prepare(select + " WHERE (" + names + ") > (" + places + ")" + order));
    return {};
  }

  /// The statement is done with when this returns: nobody waits for the rows to be sent.
  Result<void> read_page() {
    rows_ = read_ == 0 ? first_.get() : behind_.get();
    for (std::size_t i = 0; read_ > 0 && i < key_.size(); ++i) sqlite3_bind_value(rows_, static_cast<int>(i) + 1, key_[i].get());
    std::size_t bytes = 0;
    int rc = SQLITE_ROW;
    while (bytes < kPageBytes && (rc = step(rows_)) == SQLITE_ROW) {
      if (Result<void> taken = take_row(bytes); !taken.ok()) {
        failed_ = std::move(taken).error();
        break;
      }
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) failed_ = problem("row " + std::to_string(read_ + 1));
    sqlite3_reset(rows_);
    return {};
  }

  Result<void> take_row(std::size_t& bytes) {
    if (++read_ > size_ + kMostNewRows) return Error(Code::bad_request, "the file is damaged: its rows have no end");
    FileRow row;
    row.line = static_cast<std::int64_t>(read_);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].empty()) continue;
      TRY(row.item[names_[i]], cell(i));
      bytes += static_cast<std::size_t>(sqlite3_column_bytes(rows_, static_cast<int>(i)));
    }
    for (std::size_t i = 0; i < key_.size(); ++i) key_[i].reset(sqlite3_value_dup(sqlite3_column_value(rows_, static_cast<int>(names_.size() + i))));
    page_.push_back(std::move(row));
    return {};
  }

  /// The server of old kept there what its columns hold; other files have no such table.
  void read_types(const RowsOptions& options) {
    Result<Statement> types = prepare("SELECT name, type FROM __types WHERE \"table\" = ?1 COLLATE NOCASE LIMIT 4000");
    if (check_table("__types").ok() && types.ok()) {
      sqlite3_stmt* made = types->get();
      sqlite3_bind_text(made, 1, options.source_table.c_str(), -1, SQLITE_TRANSIENT);
      while (step(made) == SQLITE_ROW) {
        const std::string_view type = text_at(made, 1);
        const std::string name = ascii_lower(text_at(made, 0));
        const auto other = options.renamed.find(name);
        const std::string here = other == options.renamed.end() ? name : ascii_lower(other->second);
        if (type == "boolean" || type == "bool") types_[here] = "boolean";
        if (type == "date" || type == "datetime") types_[here] = "datetime";
        if (type == "number") types_[here] = "number";
        if (type == "string") types_[here] = "string";
      }
    }
    for (const auto& [name, type] : options.types) types_[name] = type;
  }

  Result<Json> cell(std::size_t column) const {
    const int i = static_cast<int>(column);
    switch (sqlite3_column_type(rows_, i)) {
      case SQLITE_NULL: return Json(nullptr);
      case SQLITE_INTEGER: {
        const std::int64_t number = sqlite3_column_int64(rows_, i);
        if (truths_[column]) return Json(number != 0);
        if (versions_[column]) return Json(boost::json::string(base64(std::to_string(number))));
        return Json(number);
      }
      case SQLITE_FLOAT: {
        const double number = sqlite3_column_double(rows_, i);
        if (!std::isfinite(number)) return Error(Code::bad_request, "row " + std::to_string(read_) + ": '" + names_[column] + "' is no finite number");
        return Json(number);
      }
      case SQLITE_BLOB: {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(rows_, i));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(rows_, i));
        return Json(boost::json::string(base64(bytes ? std::string_view(bytes, size) : std::string_view())));
      }
      default: break;
    }
    const std::string_view text = text_at(rows_, i);
    if (!valid_utf8(text)) return Error(Code::bad_request, "row " + std::to_string(read_) + ": '" + names_[column] + "' is not UTF-8");
    // That server counted, and showed its clients the base64 of the number's text.
    if (versions_[column] && all_digits(text)) return Json(boost::json::string(base64(text)));
    return Json(boost::json::string(text));
  }

  Database db_;
  Statement first_, behind_;
  sqlite3_stmt* rows_ = nullptr;  ///< of the two, the one whose rows are read
  std::vector<Value> key_;        ///< of the row that was read last
  std::deque<FileRow> page_;
  std::optional<Error> failed_;   ///< behind the page
  std::vector<std::string> names_;
  std::vector<bool> truths_, versions_;
  std::uint64_t read_ = 0, done_ = 0, size_ = 0;
  int ticks_ = 0;
};

}  // namespace

Result<std::unique_ptr<RowFile>> read_sqlite_rows(const std::string& path, const RowsOptions& options) {
  auto rows = std::make_unique<SqliteRows>();
  CHECK_OK(rows->open(path, options));
  return std::unique_ptr<RowFile>(std::move(rows));
}

}  // namespace mandate::cli
