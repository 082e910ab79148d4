#include "store/postgres/bootstrap.h"
#include "store/postgres/move.h"
#include "store/postgres/move_mark.h"
#include "store/postgres/move_rows.h"

namespace mandate::store {
namespace {

using namespace postgres;

/// Within the source's transaction, which stands still.
class View final : public StillView {
 public:
  View(const Core& core, PGconn* connection, std::string tenant) : core_(core), connection_(connection), tenant_(std::move(tenant)) {}

  Result<std::vector<MovedTable>> tables() override { return moved_tables(core_, connection_, tenant_); }

  Result<void> all(const MovedTable& table, const EachMoved& each) override {
    const Whereabouts where = whereabouts(core_, tenant_, table);
    return moved_rows(connection_, table, where.table, "NULL::bigint", where.condition, each);
  }

  Result<void> some(const MovedTable&, std::span<const std::int64_t>, const EachMoved&) override {
    return Error(Code::server_error, "", "this source is not followed");
  }

  const Changes& changes() const override { return none_; }

 private:
  const Core& core_;
  PGconn* connection_;
  std::string tenant_;
  Changes none_;
};

class Source final : public MoveSource {
 public:
  Source(PostgresOptions options, Log& log, Metrics& metrics) : core_(std::move(options), log, metrics) {}

  bool follows() const override { return false; }

  Result<MoveMark> mark() override {
    CHECK_OK(connect());
    TRY(const MoveMark there, read_mark(c()));
    if (there.state == "arriving" || there.state == "complete") CHECK_OK(check_mark(c()));
    return there;
  }

  Result<void> hold(std::chrono::milliseconds) override {
    CHECK_OK(connect());
    TRY(const Answer there, run(c(), "SELECT to_regclass('mandate_streams')"));
    if (cell(there, 0, 0).empty()) return Error(Code::not_found, "There is no schema " + core_.options().schema + " of Mandate in this database.");
    // Every transaction that writes raises the number of its stream, and every change of the schema takes the schema's
    // lock first: with these two held nothing is written, by whatever node. Who reads is not hindered.
    CHECK_OK(run(c(), "BEGIN"));
    CHECK_OK(lock_schema(c()));
    CHECK_OK(run(c(), "LOCK TABLE mandate_streams IN EXCLUSIVE MODE"));
    return core_.learn_shared_tables(c());
  }

  Result<std::vector<std::string>> tenants() override {
    TRY(const std::vector<std::string> shared, shared_tables(c(), core_.options().schema));
    std::string sql;
    for (const std::string& name : shared)
      sql += (sql.empty() ? "SELECT " : " UNION SELECT ") + std::string(kTenantColumn) + " FROM " + identifier(core_.options().schema) + "." + identifier(name);
    TRY(const Answer found, run(c(), sql + " UNION SELECT " + std::string(kTenantColumn) + " FROM mandate_columns ORDER BY 1"));
    std::vector<std::string> out;
    for (int i = 0; i < PQntuples(found.get()); ++i) out.emplace_back(cell(found, i, 0));
    return out;
  }

  Result<std::unique_ptr<StillView>> view(const std::string& tenant) override { return std::unique_ptr<StillView>(std::make_unique<View>(core_, c(), tenant)); }

  void resume() override {
    if (connection_) (void)run(c(), "ROLLBACK");
  }

  void give_up() override { resume(); }

  Result<void> leave(const MoveMark& mark) override {
    CHECK_OK(write_mark(c(), mark, core_.now()));
    // No connection that writes now can commit again, and none that comes gets a stream.
    CHECK_OK(run(c(), "UPDATE mandate_streams SET fenced = true"));
    CHECK_OK(run(c(), "COMMIT"));
    return {};
  }

 private:
  PGconn* c() const { return connection_.get(); }

  Result<void> connect() {
    if (connection_) return {};
    TRY(connection_, core_.connect());
    CHECK_OK(run(c(), "SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0"));
    return {};
  }

  Core core_;
  Connection connection_;
};

}  // namespace

std::unique_ptr<MoveSource> postgres_source(PostgresOptions options, Log& log, Metrics& metrics) {
  return std::make_unique<Source>(std::move(options), log, metrics);
}

}  // namespace mandate::store
