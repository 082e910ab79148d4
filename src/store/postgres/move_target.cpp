#include <algorithm>

#include "store/postgres/bootstrap.h"
#include "store/postgres/copy_in.h"
#include "store/postgres/migrations.h"
#include "store/postgres/move.h"
#include "store/postgres/move_mark.h"
#include "store/postgres/move_rows.h"
#include "store/postgres/schema.h"

namespace mandate::store {
namespace {

using namespace postgres;

class Target final : public MoveTarget {
 public:
  Target(PostgresOptions options, std::span<const Migration> migrations, Log& log, Metrics& metrics)
      : core_(std::move(options), log, metrics), migrations_(migrations) {}

  Result<MoveMark> mark() override {
    CHECK_OK(connect());
    return read_mark(c());
  }

  Result<void> begin(const MoveMark& mark) override {
    CHECK_OK(connect());
    TRY(const MoveMark there, read_mark(c()));
    if (there.state == "arriving" || there.state == "complete") {
      CHECK_OK(wipe());
    } else {
      CHECK_OK(check_empty());
    }
    CHECK_OK(bootstrap(c(), core_.options().schema));
    CHECK_OK(write_mark(c(), mark, core_.now()));
    id_ = mark.id;
    CHECK_OK(postgres::migrate(c(), migrations_, core_.now()));
    CHECK_OK(core_.learn_shared_tables(c()));
    TRY(const std::vector<std::string> shared, shared_tables(c(), core_.options().schema));
    for (const std::string& name : shared)
      CHECK_OK(number_rows(identifier(core_.options().schema) + "." + identifier(name), std::string(kTenantColumn) + ", "));
    return {};
  }

  Result<void> make(const std::string& tenant, const MovedTable& table) override {
    if (table.app) {
      CHECK_OK(ensure_table(core_, tenant, table.name, table.columns));
      return number_rows(whereabouts(core_, tenant, table).table, "");
    }
    const TablePtr known = core_.shared_table(table.name);
    const bool fits = known && std::all_of(table.columns.begin(), table.columns.end(), [&](const ColumnSpec& spec) { return known->find(spec.name); });
    if (!fits) return Error(Code::conflict, "The source has a table " + table.name + " that this version does not know, or not so.");
    return {};
  }

  Result<void> drop(const std::string& tenant, const std::string& table) override { return drop_table(core_, tenant, table); }

  Result<void> put(const std::string& tenant, const MovedTable& table, const RowNames& replaced,
                   const std::function<Result<void>(const EachMoved&)>& rows) override {
    return in_transaction([&]() -> Result<void> {
      const Whereabouts where = whereabouts(core_, tenant, table);
      if (!replaced.empty()) CHECK_OK(run(c(), "DELETE FROM " + where.table + " WHERE true" + among(where, replaced)));
      CopyIn copy(c());
      std::string columns = table.app ? "" : std::string(kTenantColumn) + ", ";
      std::vector<Kind> kinds;
      for (const ColumnSpec& spec : table.columns) {
        columns += identifier(spec.name) + ", ";
        kinds.push_back(kind_of(spec.type));
      }
      CHECK_OK(copy.begin(where.table, columns + kRowColumn));
      Parameters cells;
      CHECK_OK(rows([&](std::int64_t number, const std::vector<Value>& values) -> Result<void> {
        cells.clear();
        if (!table.app) cells.add_text(tenant);
        for (std::size_t i = 0; i < values.size(); ++i) CHECK_OK(cells.add(values[i], kinds[i]));
        cells.add_number(number);
        return copy.row(cells);
      }));
      return copy.end();
    });
  }

  Result<void> all(const std::string& tenant, const MovedTable& table, const EachMoved& each) override {
    const Whereabouts where = whereabouts(core_, tenant, table);
    return in_transaction([&] { return moved_rows(c(), table, where.table, kRowColumn, where.condition, each); });
  }

  Result<void> some(const std::string& tenant, const MovedTable& table, const RowNames& names, const EachMoved& each) override {
    const Whereabouts where = whereabouts(core_, tenant, table);
    return in_transaction([&] { return moved_rows(c(), table, where.table, kRowColumn, among(where, names), each); });
  }

  Result<void> complete(const MoveMark& mark) override { return change_mark(mark); }

  Result<void> open(const MoveMark& mark) override {
    CHECK_OK(connect());
    id_ = mark.id;
    // The numbers of the rows have done their work. Their columns take no time to drop.
    TRY(const Answer numbered, run(c(),
                                   "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                                   " JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind IN ('r', 'p') AND a.attname = $1"
                                   " AND NOT a.attisdropped AND (n.nspname = $2 OR starts_with(n.nspname, $3))",
                                   {kRowColumn, core_.options().schema, core_.options().schema + ":"}));
    for (int i = 0; i < PQntuples(numbered.get()); ++i)
      CHECK_OK(run(c(), "ALTER TABLE " + identifier(cell(numbered, i, 0)) + "." + identifier(cell(numbered, i, 1)) + " DROP COLUMN IF EXISTS " + kRowColumn));
    CHECK_OK(run(c(), "ANALYZE"));
    return change_mark(mark);
  }

 private:
  PGconn* c() const { return connection_.get(); }

  Result<void> connect() {
    if (connection_ && PQstatus(c()) == CONNECTION_OK) return {};
    TRY(connection_, core_.connect());
    CHECK_OK(run(c(), "SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0"));
    return {};
  }

  /// Only if it is this move's: another may have begun anew meanwhile.
  Result<void> change_mark(const MoveMark& mark) {
    TRY(const Answer changed, run(c(), "UPDATE mandate_move SET state = $1, at = $2 WHERE id = $3", {mark.state, std::to_string(core_.now()), id_}));
    if (std::string_view(PQcmdTuples(changed.get())) == "1") return {};
    return Error(Code::conflict, "Another move to this database has begun meanwhile.");
  }

  Result<void> number_rows(const std::string& table, const std::string& before) {
    CHECK_OK(run(c(), "ALTER TABLE " + table + " ADD COLUMN IF NOT EXISTS " + kRowColumn + " bigint"));
    TRY(const Answer there, run(c(), "SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid WHERE i.indrelid = $1::regclass AND a.attname = $2",
                                {table, kRowColumn}));
    if (PQntuples(there.get()) == 0) CHECK_OK(run(c(), "CREATE INDEX ON " + table + " (" + before + kRowColumn + ")"));
    return {};
  }

  /// Sources that come here name their rows by numbers.
  static std::string among(const Whereabouts& where, const RowNames& names) {
    std::string out = where.condition + " AND " + kRowColumn + " = ANY ('{", comma;
    for (const RowName& name : names) out += std::exchange(comma, ",") + std::to_string(std::get<std::int64_t>(name.front()));
    return out + "}'::bigint[])";
  }

  /// What an unfinished move made: its schema and those of the tenants.
  Result<void> wipe() {
    TRY(const Answer schemas, run(c(), "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", {core_.options().schema + ":"}));
    for (int i = 0; i < PQntuples(schemas.get()); ++i) CHECK_OK(run(c(), "DROP SCHEMA " + identifier(cell(schemas, i, 0)) + " CASCADE"));
    // The mark goes with this one, last.
    CHECK_OK(run(c(), "DROP SCHEMA " + identifier(core_.options().schema) + " CASCADE"));
    return {};
  }

  Result<void> check_empty() {
    TRY(const std::vector<std::string> shared, shared_tables(c(), core_.options().schema));
    for (const std::string& name : shared) {
      TRY(const Answer row, run(c(), "SELECT FROM " + identifier(core_.options().schema) + "." + identifier(name) + " LIMIT 1"));
      if (PQntuples(row.get()) > 0)
        return Error(Code::conflict, "The schema " + core_.options().schema + " of this database holds data already. Name another (--store-schema) or drop it.");
    }
    return {};
  }

  template <class Work>
  Result<void> in_transaction(const Work& work) {
    CHECK_OK(run(c(), "BEGIN"));
    Result<void> done = work();
    if (!done.ok()) {
      (void)run(c(), "ROLLBACK");
      return done;
    }
    CHECK_OK(run(c(), "COMMIT"));
    return {};
  }

  Core core_;
  std::span<const Migration> migrations_;
  Connection connection_;
  std::string id_;
};

}  // namespace

std::unique_ptr<MoveTarget> postgres_target(PostgresOptions options, std::span<const Migration> migrations, Log& log, Metrics& metrics) {
  return std::make_unique<Target>(std::move(options), migrations, log, metrics);
}

}  // namespace mandate::store
