// Rows of a SQLite file. It may come from anywhere, so nothing in it is believed: it is opened for reading only, its schema may call no
// functions that do things, and every text is looked at.
#include <sqlite3.h>

#include "base/base64.h"
#include "base/url.h"
#include "import/rows.h"

namespace mandate::cli {
namespace {

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

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
    sqlite3_busy_timeout(db, 2000);
    TRY(const Statement count, prepare("SELECT count(*) FROM " + identifier(options.source_table)));
    if (sqlite3_step(count.get()) != SQLITE_ROW) return problem(path);
    size_ = static_cast<std::uint64_t>(sqlite3_column_int64(count.get(), 0));
    read_types(options);
    TRY(rows_, prepare("SELECT * FROM " + identifier(options.source_table)));
    std::vector<std::string> there;
    for (int i = 0; i < sqlite3_column_count(rows_.get()); ++i) there.emplace_back(sqlite3_column_name(rows_.get(), i));
    CHECK_OK(check_named(there, options));
    TRY(names_, names_of(there, options));
    for (const std::string& name : names_) {
      const auto type = types_.find(ascii_lower(name));
      truths_.push_back(type != types_.end() && type->second == "boolean");
      versions_.push_back(iequals(name, "version") || iequals(name, "__version"));
    }
    return {};
  }

  Result<bool> next(FileRow& row) override {
    const int rc = sqlite3_step(rows_.get());
    if (rc == SQLITE_DONE) return false;
    row.line = static_cast<std::int64_t>(++done_);
    if (rc != SQLITE_ROW) return problem("row " + std::to_string(row.line));
    row.item.clear();
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].empty()) continue;
      TRY(row.item[names_[i]], cell(i));
    }
    return true;
  }

  std::uint64_t done() const override { return done_; }
  std::uint64_t size() const override { return size_; }

 private:
  Error problem(const std::string& what) const { return Error(Code::bad_request, what + ": " + sqlite3_errmsg(db_.get())); }

  Result<Statement> prepare(const std::string& sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &made, nullptr) != SQLITE_OK) return problem("the file cannot be read");
    return Statement(made);
  }

  /// The server of old kept there what its columns hold; other files have no such table.
  void read_types(const RowsOptions& options) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(db_.get(), "SELECT name, type FROM __types WHERE \"table\" = ?1 COLLATE NOCASE", -1, &made, nullptr) == SQLITE_OK) {
      const Statement types(made);
      sqlite3_bind_text(made, 1, options.source_table.c_str(), -1, SQLITE_TRANSIENT);
      while (sqlite3_step(made) == SQLITE_ROW) {
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
    switch (sqlite3_column_type(rows_.get(), i)) {
      case SQLITE_NULL: return Json(nullptr);
      case SQLITE_INTEGER: {
        const std::int64_t number = sqlite3_column_int64(rows_.get(), i);
        if (truths_[column]) return Json(number != 0);
        if (versions_[column]) return Json(boost::json::string(base64(std::to_string(number))));
        return Json(number);
      }
      case SQLITE_FLOAT: return Json(sqlite3_column_double(rows_.get(), i));
      case SQLITE_BLOB: {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(rows_.get(), i));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(rows_.get(), i));
        return Json(boost::json::string(base64(bytes ? std::string_view(bytes, size) : std::string_view())));
      }
      default: break;
    }
    const std::string_view text = text_at(rows_.get(), i);
    if (!valid_utf8(text)) return Error(Code::bad_request, "row " + std::to_string(done_) + ": '" + names_[column] + "' is not UTF-8");
    // That server counted, and showed its clients the base64 of the number's text.
    if (versions_[column] && all_digits(text)) return Json(boost::json::string(base64(text)));
    return Json(boost::json::string(text));
  }

  Database db_;
  Statement rows_;
  std::vector<std::string> names_;
  std::vector<bool> truths_, versions_;
  std::uint64_t done_ = 0, size_ = 0;
};

}  // namespace

Result<std::unique_ptr<RowFile>> read_sqlite_rows(const std::string& path, const RowsOptions& options) {
  auto rows = std::make_unique<SqliteRows>();
  CHECK_OK(rows->open(path, options));
  return std::unique_ptr<RowFile>(std::move(rows));
}

}  // namespace mandate::cli
