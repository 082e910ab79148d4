// Runs SQL over rows in memory: tables `people` and `orders`, and what a statement gave as text.
#pragma once

#include <gtest/gtest.h>

#include "base/url.h"
#include "tables/tsql/resolve.h"
#include "tables/tsql/machine.h"
#include "tables/tsql/parser.h"

namespace mandate::tables::tsql::test {

inline constexpr Millis kNow = 1'588'334'400'000;  // 2020-05-01T12:00:00Z, a Friday

inline TablePtr make_table(std::string name, std::vector<TableInfo::Column> columns, bool integer_id = false) {
  auto out = std::make_shared<TableInfo>();
  out->name = out->physical = std::move(name);
  out->integer_id = integer_id;
  out->columns = std::move(columns);
  using Role = TableInfo::Role;
  out->columns.push_back({"__createdAt", "__createdAt", Type::date, Role::created, false, false});
  out->columns.push_back({"__updatedAt", "__updatedAt", Type::date, Role::updated, false, false});
  out->columns.push_back({"__version", "__updatedAt", Type::text, Role::version, false, false});
  out->columns.push_back({"__deleted", "__deleted", Type::bit, Role::deleted, false, false});
  return out;
}

class Bench {
 public:
  Bench() {
    using Role = TableInfo::Role;
    known["people"] = make_table("people", {{"id", "id", Type::text, Role::id}, {"name", "name", Type::text}, {"age", "age", Type::real}, {"active", "active", Type::bit}, {"born", "born", Type::date}});
    known["orders"] = make_table("orders", {{"id", "id", Type::integer, Role::id}, {"person", "person", Type::text}, {"total", "total", Type::real}, {"note", "note", Type::text}}, true);
    add("people", {std::string("a"), std::string("Ann"), 30.0, true, Moment{0}});
    add("people", {std::string("b"), std::string("bob"), 20.0, false, Moment{86'400'000}});
    add("people", {std::string("c"), std::string("Cid"), {}, true, {}});
    add("orders", {std::int64_t(1), std::string("a"), 10.0, std::string("x")});
    add("orders", {std::int64_t(2), std::string("a"), 5.0, {}});
    add("orders", {std::int64_t(3), std::string("b"), 7.5, std::string("50% off")});
    add("orders", {std::int64_t(4), {}, 1.0, std::string("lost")});
  }

  void add(const std::string& table, Row row) {
    row.resize(known[table]->columns.size());
    rows[table].push_back(std::move(row));
  }

  /// Rows by "; ", cells by ",", texts as they are; or the error.
  std::string run(std::string_view sql, std::vector<Value> values = {}) {
    auto script = parse(sql, "myservice");
    if (!script.ok()) return script.error().hint;
    std::string out;
    for (Statement& each : script->statements) {
      if (!out.empty()) out += " | ";
      out += one(each, values);
    }
    return out;
  }

  std::string one(Statement& statement, const std::vector<Value>& values) {
    auto loads = resolve(statement, known, values);
    if (!loads.ok()) return loads.error().hint;
    std::vector<Rows> loaded;
    for (const Load& load : *loads) loaded.push_back(rows[ascii_lower(load.table->name)]);
    SeededRandom random;
    const Surroundings around{kNow, &random, std::int64_t(7), 3};
    const Cost cost{.rows = 1000, .bytes = bytes, .tuples = 10'000, .until = until};
    Machine machine(loaded, values, around, cost);
    auto result = machine.rows(*statement.query);
    if (!result.ok()) return result.error().hint;
    std::string out;
    for (const Row& row : *result) {
      if (!out.empty()) out += "; ";
      for (std::size_t i = 0; i < row.size(); ++i) out += (i ? "," : "") + (is_null(row[i]) ? "null" : shown(row[i]));
    }
    names = statement.query->names;
    return out.empty() ? "(nothing)" : out;
  }

  Known known;
  std::map<std::string, Rows> rows;
  std::vector<std::string> names;
  Deadline until = kNoDeadline;
  std::size_t bytes = 1 << 20;
};

}  // namespace mandate::tables::tsql::test
