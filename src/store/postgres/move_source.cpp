#include <algorithm>

#include "store/postgres/bootstrap.h"
#include "store/postgres/move.h"
#include "store/postgres/move_log.h"
#include "store/postgres/move_mark.h"
#include "store/postgres/move_rows.h"

namespace mandate::store {
namespace {

using namespace postgres;

using Apps = std::map<std::string, std::vector<MovedTable>>;

/// Of one tenant, within the source's transaction, which stands still.
class View final : public StillView {
 public:
  View(const Core& core, PGconn* connection, std::string tenant, std::vector<MovedTable> tables, Changes changes)
      : core_(core), connection_(connection), tenant_(std::move(tenant)), tables_(std::move(tables)),
        changes_(std::move(changes)) {}

  Result<std::vector<MovedTable>> tables() override { return tables_; }

  Result<void> all(const MovedTable& table, const EachMoved& each) override {
    const Whereabouts where = whereabouts(core_, tenant_, table);
    return reading(table, [&] { return moved_rows(connection_, table, where.table, "NULL::bigint", where.condition, each); });
  }

  Result<void> some(const MovedTable& table, const RowNames& names, const EachMoved& each) override {
    const Whereabouts where = whereabouts(core_, tenant_, table);
    return reading(table, [&] { return rows_by_name(connection_, table, where, names, each); });
  }

  bool gone(const std::string& table) const override { return gone_.contains(table); }
  const Changes& changes() const override { return changes_; }

 private:
  /// The lock on the table ends with the savepoint: who changes its columns need not wait for the end of the whole copy.
  template <class Work>
  Result<void> reading(const MovedTable& table, const Work& work) {
    CHECK_OK(run(connection_, "SAVEPOINT reading"));
    Result<void> done = work();
    if (PQstatus(connection_) != CONNECTION_OK) return done.ok() ? lost(connection_) : std::move(done);
    CHECK_OK(run(connection_, "ROLLBACK TO reading; RELEASE reading"));
    if (done.ok() || !table.app ||
        !(done.error().detail.starts_with("postgres 42P01") || done.error().detail.starts_with("postgres 3F000")))
      return done;
    gone_.insert(table.name);
    return {};
  }

  const Core& core_;
  PGconn* connection_;
  std::string tenant_;
  std::vector<MovedTable> tables_;
  Changes changes_;
  std::set<std::string> gone_;
};

class Source final : public MoveSource {
 public:
  Source(PostgresOptions options, Log& log, Metrics& metrics) : core_(std::move(options), log, metrics), log_(core_) {}

  Result<MoveMark> mark() override {
    CHECK_OK(connect());
    TRY(const MoveMark there, read_mark(c()));
    if (there.state == "arriving" || there.state == "complete") CHECK_OK(check_mark(c()));
    if (there.state == "left") (void)log_.end(c());  // a move that was killed right after its switch
    return there;
  }

  Result<bool> follow(const std::function<void(const std::string&)>& say) override {
    CHECK_OK(check_there());
    began_ = true;
    std::string why;
    TRY(follows_, log_.begin(c(), why));
    if (!follows_) say("This database cannot be followed while it is written (" + why + ").");
    return follows_;
  }

  Result<void> hold(std::chrono::milliseconds longest) override {
    const auto start = std::chrono::steady_clock::now();
    CHECK_OK(end_view());
    CHECK_OK(check_there());
    const Result<void> held = [&]() -> Result<void> {
      // Every transaction that writes raises the number of its stream, and every change of the schema takes the schema's
      // lock first: with these two held nothing is written, by whatever node. Who reads is not hindered.
      CHECK_OK(run(c(), "BEGIN"));
      if (follows_) {
        // Should this process hang or its line break, the server ends the hold.
        held_until_ = start + longest;
        const std::string limit = std::to_string(std::max<std::int64_t>(1, longest.count()));
        CHECK_OK(run(c(), "SET LOCAL lock_timeout TO " + limit + "; SET LOCAL idle_in_transaction_session_timeout TO " + limit));
      }
      CHECK_OK(lock_schema(c()));
      CHECK_OK(lock_streams());
      if (follows_) CHECK_OK(log_.check(c()));
      return {};
    }();
    held_ = true;
    if (held.ok()) return held;
    const bool too_long = let_go();
    held_ = false;
    if (PQstatus(c()) == CONNECTION_OK) (void)run(c(), "ROLLBACK");
    return too_long ? Error(Code::timeout, "Writing went on before the switch was made.", held.error().detail) : held.error();
  }

  Result<std::vector<std::string>> tenants() override {
    CHECK_OK(end_view());
    if (!held_) {
      CHECK_OK(check_there());
      log_.tidy(c());
      CHECK_OK(log_.check(c()));
    }
    if (follows_) CHECK_OK(follow_tables());
    if (!held_) CHECK_OK(run(c(), "BEGIN ISOLATION LEVEL REPEATABLE READ"));
    CHECK_OK(look());
    return std::vector<std::string>(tenants_.begin(), tenants_.end());
  }

  Result<std::unique_ptr<StillView>> view(const std::string& tenant) override {
    std::vector<MovedTable> tables = rooms_;
    if (const auto apps = apps_.find(tenant); apps != apps_.end())
      tables.insert(tables.end(), apps->second.begin(), apps->second.end());
    StillView::Changes changes;
    if (const auto touched = changes_.find(tenant); touched != changes_.end()) changes = std::move(touched->second);
    changes_.erase(tenant);
    return std::unique_ptr<StillView>(std::make_unique<View>(core_, c(), tenant, std::move(tables), std::move(changes)));
  }

  bool let_go() const override {
    return held_ && follows_ && PQstatus(c()) != CONNECTION_OK && std::chrono::steady_clock::now() >= held_until_;
  }

  void resume() override {
    if (connection_ && PQtransactionStatus(c()) != PQTRANS_IDLE) (void)run(c(), "ROLLBACK");
    if (connection_ && PQstatus(c()) != CONNECTION_OK) connection_.reset();  // and with it what was under way
    held_ = false;
    // With the transaction went the triggers of tables that were met in it.
    for (auto& [where, table] : followed_)
      if (std::exchange(table.within, false)) table.oid.clear();
  }

  void give_up() override {
    resume();
    if (began_ && connect().ok()) (void)log_.end(c());
  }

  Result<void> leave(const MoveMark& mark) override {
    const Result<void> written = [&]() -> Result<void> {
      CHECK_OK(write_mark(c(), mark, core_.now()));
      // No connection that writes now can commit again, and none that comes gets a stream.
      TRY(const Answer fenced, run(c(), "UPDATE mandate_streams SET fenced = true RETURNING stream, n"));
      if (unlocked_ && numbers_of(fenced) != *unlocked_) return somebody_wrote();
      return {};
    }();
    if (!written.ok()) {
      // The server ended the hold. Nobody has seen the mark.
      if (follows_ && PQstatus(c()) != CONNECTION_OK)
        return Error(Code::timeout, "Writing went on before the switch was made.", written.error().detail);
      return written;
    }
    if (const auto done = run(c(), "COMMIT"); !done.ok()) {
      if (PQstatus(c()) == CONNECTION_OK) return done.error();
      return Error(
          Code::overloaded,
          "The connection broke in the moment of the switch (" + done.error().detail +
              "), and whether it was made is not known here. Run the same command again: it goes on from what is there.");
    }
    held_ = false;
    if (began_) (void)log_.end(c());
    return {};
  }

 private:
  struct Followed {
    LoggedTable logged;
    std::string oid;  ///< of the table that has the trigger; empty = it is gone
    std::string tenant, name;
    bool unique = true;
    bool within = false;  ///< the trigger was made in the transaction of the hold
  };

  PGconn* c() const { return connection_.get(); }

  Result<void> connect() {
    if (connection_ && PQstatus(c()) == CONNECTION_OK) return {};
    TRY(connection_, core_.connect());
    CHECK_OK(run(c(), "SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0"));
    return {};
  }

  Result<void> check_there() {
    CHECK_OK(connect());
    TRY(const Answer there, run(c(), "SELECT to_regclass('mandate_streams')"));
    if (cell(there, 0, 0).empty())
      return Error(Code::not_found, "There is no schema " + core_.options().schema + " of Mandate in this database.");
    return {};
  }

  /// Every writer needs its row of this table. Where the server knows no such lock (CockroachDB has none), or does not let this
  /// user take it, leave() sees by the numbers whether anybody wrote nevertheless.
  Result<void> lock_streams() {
    unlocked_.reset();
    CHECK_OK(run(c(), "SAVEPOINT streams"));
    const Result<Answer> locked = run(c(), "LOCK TABLE mandate_streams IN EXCLUSIVE MODE");
    if (locked.ok()) return {};
    const std::string& why = locked.error().detail;
    const bool refused = why.starts_with("postgres 42601") || why.starts_with("postgres 42501") || why.starts_with("postgres 0A000");
    if (!refused) return locked.error();
    CHECK_OK(run(c(), "ROLLBACK TO streams"));
    TRY(const Answer now, run(c(), "SELECT stream, n FROM mandate_streams"));
    unlocked_ = numbers_of(now);
    return {};
  }

  static std::map<std::string, std::string> numbers_of(const Answer& streams) {
    std::map<std::string, std::string> out;
    for (int i = 0; i < PQntuples(streams.get()); ++i) out.emplace(cell(streams, i, 0), cell(streams, i, 1));
    return out;
  }

  /// Followed, it is caught up with and tried again.
  Error somebody_wrote() const {
    if (follows_) return Error(Code::timeout, "Writing went on before the switch was made.", "a stream went on");
    return Error(Code::conflict, "This database cannot be locked, and it was written while it was copied. Stop every mandated that writes it, and run"
                                 " the same command again.");
  }

  /// The transaction of a look ends when all that was seen in it has been carried.
  Result<void> end_view() {
    if (held_ || !connection_ || PQtransactionStatus(c()) == PQTRANS_IDLE) return {};
    CHECK_OK(run(c(), "COMMIT"));
    return {};
  }

  /// Tables as they are now; with oids, since a name can be given to another table.
  struct Catalogue {
    std::vector<MovedTable> rooms;
    Apps apps;
    std::map<std::string, std::string> oids;  ///< by quoted name
  };
  Result<Catalogue> catalogue() {
    Catalogue out;
    CHECK_OK(core_.learn_shared_tables(c()));
    TRY(const std::vector<std::string> shared, shared_tables(c(), core_.options().schema));
    for (const std::string& name : shared)
      if (const TablePtr known = core_.shared_table(name)) out.rooms.push_back(room_table(*known));
    TRY(const Answer keys, run(c(),
                               "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN "
                               "pg_namespace n ON n.oid = c.relnamespace"
                               " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
                               " WHERE i.indisprimary AND n.nspname = $1 AND a.attname <> $2 ORDER BY c.relname, a.attnum",
                               {core_.options().schema, kTenantColumn}));
    for (int i = 0; i < PQntuples(keys.get()); ++i)
      for (MovedTable& table : out.rooms)
        if (table.name == cell(keys, i, 0)) table.key.emplace_back(cell(keys, i, 1));
    for (MovedTable& table : out.rooms) choose_key(table);
    TRY(out.apps, app_tables(c()));
    for (auto& [tenant, tables] : out.apps)
      for (MovedTable& table : tables) choose_key(table);
    TRY(const Answer found, run(c(),
                                "SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                                " WHERE c.relkind IN ('r', 'p') AND (n.nspname = $1 OR starts_with(n.nspname, $2))",
                                {core_.options().schema, core_.options().schema + ":"}));
    for (int i = 0; i < PQntuples(found.get()); ++i)
      out.oids.emplace(identifier(cell(found, i, 0)) + "." + identifier(cell(found, i, 1)), cell(found, i, 2));
    return out;
  }

  /// By what its rows are named: the primary key or a unique column, else the first that has an index, else the first.
  static void choose_key(MovedTable& table) {
    if (!table.key.empty() || table.columns.empty()) return;
    const ColumnSpec* chosen = &table.columns.front();
    for (const ColumnSpec& spec : table.columns)
      if (spec.index && !spec.dictionary && !chosen->index) chosen = &spec;
    for (const ColumnSpec& spec : table.columns)
      if (spec.unique && !chosen->unique) chosen = &spec;
    table.key = {chosen->name};
    table.key_is_unique = chosen->unique;
  }

  /// Puts a trigger on every table that has none.
  Result<void> follow_tables() {
    TRY(const Catalogue now, catalogue());
    for (const MovedTable& table : now.rooms) CHECK_OK(follow_table("", table, now));
    for (const auto& [tenant, tables] : now.apps)
      for (const MovedTable& table : tables) CHECK_OK(follow_table(tenant, table, now));
    return {};
  }

  Result<void> follow_table(const std::string& tenant, const MovedTable& table, const Catalogue& now) {
    const std::string where = whereabouts(core_, tenant, table).table;
    const auto oid = now.oids.find(where);
    if (oid == now.oids.end()) return {};
    Followed& followed = followed_[where];
    if (followed.oid == oid->second) return {};
    // What the target has under this name is of another table, or was read while nobody followed it.
    if (!followed.name.empty()) changes_[tenant].dropped.insert(table.name);
    by_number_.erase(followed.logged.number);
    followed = Followed{{++numbers_, where, !table.app, table.key, key_kinds(table)},
                        oid->second,
                        tenant,
                        table.name,
                        table.key_is_unique,
                        held_};
    TRY(const bool added, log_.add(c(), followed.logged, held_));
    if (added) by_number_[followed.logged.number] = &followed;
    else followed.oid.clear();
    return {};
  }

  /// In the transaction under way: fixes its moment, and learns what is there and what was touched.
  Result<void> look() {
    TRY(Catalogue now, catalogue());
    if (tenants_.empty()) CHECK_OK(find_tenants(now));
    for (const auto& [tenant, tables] : now.apps) tenants_.insert(tenant);
    if (follows_) {
      // What came after the triggers were put waits for the next look.
      for (MovedTable& table : now.rooms) (void)keep(now, "", table);
      std::erase_if(now.rooms, [](const MovedTable& table) { return table.key.empty(); });
      for (auto& [tenant, tables] : now.apps)
        std::erase_if(tables, [&, &tenant = tenant](MovedTable& table) { return !keep(now, tenant, table); });
      CHECK_OK(log_.take(
          c(),
          [&](int number, std::string tenant, RowName key) -> Result<void> {
            const Followed& table = *by_number_.at(number);
            const std::string& whose = table.tenant.empty() ? tenant : table.tenant;
            tenants_.insert(whose);
            changes_[whose].rows[table.name].insert(std::move(key));
            return {};
          },
          [&](int number) -> const LoggedTable* {
            const auto known = by_number_.find(number);
            return known == by_number_.end() ? nullptr : &known->second->logged;
          }));
    }
    rooms_ = std::move(now.rooms);
    apps_ = std::move(now.apps);
    return {};
  }

  /// Whether the table is the one that is followed; then it keeps the key it had at first.
  bool keep(const Catalogue& now, const std::string& tenant, MovedTable& table) const {
    const std::string where = whereabouts(core_, tenant, table).table;
    const auto known = followed_.find(where);
    const auto oid = now.oids.find(where);
    const bool kept = known != followed_.end() && oid != now.oids.end() && known->second.oid == oid->second;
    table.key = kept ? known->second.logged.key : std::vector<std::string>{};
    if (kept) table.key_is_unique = known->second.unique;
    return kept;
  }

  /// Once; later ones are met in the log.
  Result<void> find_tenants(const Catalogue& now) {
    tenants_.insert("system");
    for (const MovedTable& table : now.rooms) {
      TRY(const Answer found,
          run(c(), "SELECT DISTINCT " + std::string(kTenantColumn) + " FROM " + whereabouts(core_, "", table).table));
      for (int i = 0; i < PQntuples(found.get()); ++i) tenants_.emplace(cell(found, i, 0));
    }
    return {};
  }

  Core core_;
  Connection connection_;
  bool follows_ = false, began_ = false, held_ = false;
  std::chrono::steady_clock::time_point held_until_;  ///< when the server may end the hold
  /// How far every stream was when the hold began without a lock.
  std::optional<std::map<std::string, std::string>> unlocked_;
  int numbers_ = 0;
  std::map<std::string, Followed> followed_;  ///< by quoted name
  std::map<int, const Followed*> by_number_;
  std::vector<MovedTable> rooms_;             ///< as of the last look, like those below
  Apps apps_;
  std::map<std::string, StillView::Changes> changes_;
  std::set<std::string> tenants_;
  MoveLog log_;
};

}  // namespace

std::unique_ptr<MoveSource> postgres_source(PostgresOptions options, Log& log, Metrics& metrics) {
  return std::make_unique<Source>(std::move(options), log, metrics);
}

}  // namespace mandate::store
