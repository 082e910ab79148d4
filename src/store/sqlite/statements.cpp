#include "store/sqlite/statements.h"

#include <sqlite3.h>
#include <strings.h>

namespace mandate::store::sqlite {

const std::shared_ptr<const std::vector<std::string>>& Prepared::names() {
  // SQLite prepares again by itself when the schema changed; a `*` then means other columns.
  const int again = sqlite3_stmt_status(statement.get(), SQLITE_STMTSTATUS_REPREPARE, 0);
  if (!names_ || again != prepared_again_) {
    auto list = std::make_shared<std::vector<std::string>>();
    for (int i = 0, n = sqlite3_column_count(statement.get()); i < n; ++i) list->emplace_back(sqlite3_column_name(statement.get(), i));
    names_ = std::move(list);
    prepared_again_ = again;
  }
  return names_;
}

void Prepared::bind(const std::vector<Bound>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int index = static_cast<int>(i) + 1;
    if (values[i].value) sqlite::bind(statement.get(), index, *values[i].value);
    else sqlite3_bind_int64(statement.get(), index, values[i].number);
  }
}

namespace {

/// SQLite takes 1000 levels and calls more a broken statement; the tables' doors stop far below.
Result<void> check_depth(const ExprPtr& expression) {
  if (expression && depth_of(*expression) > 950) return Error(Code::bad_request, "The query is nested too deeply.");
  return {};
}

}  // namespace

Result<Prepared*> Statements::get(const Plan& plan, Wanted wanted, Shape& shape) {
  shape.clear();
  read_shape(plan, wanted, shape);
  if (Prepared* known = find(shape.key)) return known;
  CHECK_OK(check_depth(plan.where));
  for (const Order& order : plan.order) CHECK_OK(check_depth(order.by));
  return add(shape.key, sql_of(plan, wanted));
}

Result<Prepared*> Statements::get(const Mutation& mutation, Shape& shape, bool returning) {
  shape.clear();
  read_shape(mutation, shape, returning);
  if (Prepared* known = find(shape.key)) return known;
  CHECK_OK(check_depth(mutation.where));
  return add(shape.key, sql_of(mutation, returning));
}

Result<Prepared*> Statements::get_row(const Mutation& insert) {
  row_key_ = "row of ";
  row_key_ += insert.table;
  for (const std::string& name : insert.returning) row_key_ += '\0' + name;
  Prepared* row = find(row_key_);
  if (!row) {
    TRY(row, add(row_key_, sql_of_row(insert)));
  }
  for (const std::string& name : *row->names())
    if (::strcasecmp(name.c_str(), kRowNumber) == 0) return nullptr;
  return row;
}

Prepared* Statements::find(std::string_view key) {
  const auto found = by_shape_.find(key);
  if (found == by_shape_.end()) return nullptr;
  used_.splice(used_.begin(), used_, found->second);
  return &used_.front();
}

Result<Prepared*> Statements::add(const std::string& key, const std::string& sql) {
  TRY(Stmt statement, prepare(db_, sql));
  if (used_.size() >= most_) {
    by_shape_.erase(used_.back().shape);
    used_.pop_back();
  }
  used_.emplace_front();
  used_.front().shape = key;
  used_.front().statement = std::move(statement);
  by_shape_.emplace(used_.front().shape, used_.begin());
  return &used_.front();
}

Running::~Running() { sqlite3_reset(statement_); }

}  // namespace mandate::store::sqlite
