// How tenants may lie in PostgreSQL, measured (ADR 0010): tenancy CONNINFO LAYOUT TENANTS SECONDS SQL...
//
//   schemas    a schema per tenant: the rooms' tables and the app's
//   shared     the rooms' tables once, the tenant first in every key; the app's tables in a schema per tenant
//   documents  as shared, but the rows of all apps in one table, as jsonb
//
// SQL... are the rooms' migrations in order. Prints a line "figure<tab>value" for each figure. The database must be
// empty, the user a superuser of a cluster of its own: fsync is switched by this program.
#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using Seconds = std::chrono::duration<double>;
using Texts = std::vector<std::string>;
constexpr int kRows = 10;              // of each seeded table and tenant
constexpr int kDepth = 64;             // operations in flight, each with its own Sync
constexpr std::size_t kRemember = 1000;  // prepared statements of a connection

double now() { return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void print(const std::string& figure, double value) {
  std::printf("%s\t%.6g\n", figure.c_str(), value);
  std::fflush(stdout);
}

[[noreturn]] void fail(const std::string& what, PGconn* conn) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), PQerrorMessage(conn));
  std::exit(1);
}

/// One connection; statements are prepared by name and the least recently used of `kRemember` is given back.
class Connection {
 public:
  explicit Connection(const std::string& conninfo) : conn_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(conn_) != CONNECTION_OK) fail("connect", conn_);
    (void)run("SET client_min_messages = error");
  }
  ~Connection() { PQfinish(conn_); }
  Connection(const Connection&) = delete;

  /// Several statements, one transaction; the cells of the last result.
  Texts run(const std::string& sql) {
    PGresult* result = PQexec(conn_, sql.c_str());
    const auto status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(sql.substr(0, 200), conn_);
    Texts cells;
    for (int row = 0; row < PQntuples(result); ++row)
      for (int column = 0; column < PQnfields(result); ++column) cells.emplace_back(PQgetvalue(result, row, column));
    PQclear(result);
    return cells;
  }
  double number(const std::string& sql) { return std::atof(run(sql).at(0).c_str()); }
  /// Memory that is this backend's alone, in KB. Not "private" of smaps: shared buffers that only it touched count there.
  double memory() const {
    std::ifstream file("/proc/" + std::to_string(PQbackendPID(conn_)) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("Anonymous:")) return std::atof(line.c_str() + 10);
    return 0;
  }

  void begin_pipeline() { (void)PQenterPipelineMode(conn_); }
  /// Sends a statement, prepared first when it is not known, and a Sync.
  void send(const std::string& name, const std::string& sql, const Texts& parameters) {
    if (const auto known = known_.find(name); known != known_.end()) {
      recent_.splice(recent_.begin(), recent_, known->second);
    } else {
      if (recent_.size() == kRemember) {
        const std::string drop = "DEALLOCATE \"" + recent_.back() + '"';
        if (!PQsendQueryParams(conn_, drop.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0)) fail(drop, conn_);
        known_.erase(recent_.back());
        recent_.pop_back();
      }
      if (!PQsendPrepare(conn_, name.c_str(), sql.c_str(), 0, nullptr)) fail(sql, conn_);
      recent_.push_front(name);
      known_[name] = recent_.begin();
    }
    std::vector<const char*> values;
    for (const std::string& p : parameters) values.push_back(p.c_str());
    const int count = static_cast<int>(values.size());
    if (!PQsendQueryPrepared(conn_, name.c_str(), count, values.data(), nullptr, nullptr, 0)) fail(name, conn_);
    if (!PQpipelineSync(conn_)) fail("sync", conn_);
  }
  /// Waits for the next Sync; the rows that came before it.
  int receive() {
    for (int rows = 0;;) {
      PGresult* result = PQgetResult(conn_);
      if (!result && PQstatus(conn_) == CONNECTION_BAD) fail("receive", conn_);
      if (!result) continue;
      const auto status = PQresultStatus(result);
      rows += PQntuples(result);
      PQclear(result);
      if (status == PGRES_PIPELINE_SYNC) return rows;
      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail("statement", conn_);
    }
  }

 private:
  PGconn* conn_;
  std::list<std::string> recent_;
  std::unordered_map<std::string, std::list<std::string>::iterator> known_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

// An app of two tables, as a developer of the old service would have them. "@" is the schema.
const std::string kApp =
    "CREATE TABLE @.todoitem (id text PRIMARY KEY, version bigint NOT NULL, deleted boolean NOT NULL, owner text, text text,"
    " complete boolean, due bigint); CREATE INDEX ON @.todoitem (version); CREATE INDEX ON @.todoitem (owner);"
    "CREATE TABLE @.note (id text PRIMARY KEY, version bigint NOT NULL, deleted boolean NOT NULL, owner text, body text);"
    "CREATE INDEX ON @.note (version);";
const std::string kDocuments =
    "CREATE TABLE mandate.items (mandate_tenant text COLLATE \"C\" NOT NULL, name text NOT NULL, id text NOT NULL,"
    " version bigint NOT NULL, deleted boolean NOT NULL, item jsonb NOT NULL, PRIMARY KEY (mandate_tenant, name, id));"
    "CREATE INDEX ON mandate.items (mandate_tenant, name, version);";

// The tables and indexes that the migrations left in schema mould, as statements for schema "@".
const char* kMould = R"(
WITH keys AS (SELECT i.*, (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, false), ', ' ORDER BY k)
                             FROM generate_series(1, i.indnkeyatts) k) AS list FROM pg_index i)
SELECT string_agg(ddl, ' ' ORDER BY pass) FROM (
  SELECT 1 AS pass, format('CREATE TABLE @.%I ({column}%s, PRIMARY KEY ({tenant}%s));', c.relname,
           (SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)
                              || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END, ', ' ORDER BY attnum)
              FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), k.list) AS ddl
    FROM pg_class c JOIN keys k ON k.indrelid = c.oid AND k.indisprimary WHERE c.relnamespace = 'mould'::regnamespace
  UNION ALL
  SELECT 2, format('CREATE %s INDEX ON @.%I ({tenant}%s);', CASE WHEN k.indisunique THEN 'UNIQUE' ELSE '' END, c.relname, k.list)
    FROM pg_class c JOIN keys k ON k.indrelid = c.oid AND NOT k.indisprimary WHERE c.relnamespace = 'mould'::regnamespace) t)";

/// A statement of each shape: `sql` with "@" for a schema, what it is prepared as, what it is given.
struct Statement {
  std::string name, sql;
  Texts parameters;
};

class Layout {
 public:
  Layout(std::string kind, int tenants) : kind_(std::move(kind)), tenants_(tenants) {}

  bool own_rooms() const { return kind_ == "schemas"; }
  bool own_apps() const { return kind_ != "documents"; }
  int tenants() const { return tenants_; }
  static std::string name(int tenant) { return "tenant" + std::to_string(tenant); }
  static std::string schema(int tenant) { return "\"mandate:" + name(tenant) + '"'; }

  Statement user(int tenant, int row) const {
    return room("user", tenant, "SELECT * FROM @.users WHERE #user_id = $1", key(row));
  }
  Statement session(int tenant, int row) const {
    return room("session", tenant, "SELECT * FROM @.sessions WHERE #secret_hash = $1", key(row));
  }
  Statement refresh(int tenant, int row) const {
    return room("refresh", tenant, "SELECT * FROM @.oauth_refresh_tokens WHERE #hash = $1", key(row));
  }
  Statement item(int tenant, int row) const {
    if (own_apps()) return {"item " + name(tenant), "SELECT * FROM " + schema(tenant) + ".todoitem WHERE id = $1", {key(row)}};
    return {"item",
            "SELECT * FROM mandate.items WHERE mandate_tenant = $2 AND name = 'todoitem' AND id = $1",
            {key(row), name(tenant)}};
  }
  Statement audit(int tenant) {
    Statement s = room("audit", tenant,
                       "INSERT INTO @.audit (%at, time, type, client_id, user_id, target, connection, reason,"
                       " details, ip, request_id) VALUES (%%$1, 1760000000000, 's', 'todo', 'github|1', '', 'github', '', '{}',"
                       " '192.0.2.1', '0199f3a0')",
                       std::to_string(++at_));
    return s;
  }
  static std::string key(int row) { return "0199f3a0-5c1e-7000-8000-00000000000" + std::to_string(row); }

 private:
  // "#" and "%" become the tenant's condition, column and value where the table is shared.
  Statement room(const std::string& shape, int tenant, std::string sql, std::string value) const {
    Statement s{own_rooms() ? shape + ' ' + name(tenant) : shape,
                replaced(std::move(sql), "@", own_rooms() ? schema(tenant) : "mandate"),
                {}};
    s.sql = replaced(s.sql, "%%", own_rooms() ? "" : "$2, ");
    s.sql = replaced(s.sql, "%", own_rooms() ? "" : "mandate_tenant, ");
    s.sql = replaced(s.sql, "#", own_rooms() ? "" : "mandate_tenant = $2 AND ");
    s.parameters.push_back(std::move(value));
    if (!own_rooms()) s.parameters.push_back(name(tenant));
    return s;
  }

  std::string kind_;
  int tenants_;
  long long at_ = 1'760'000'000'000;
};

class Bench {
 public:
  Bench(std::string conninfo, Layout layout, double seconds)
      : conninfo_(std::move(conninfo)), layout_(std::move(layout)), seconds_(seconds) {}

  void run(const Texts& migrations) {
    make(migrations);
    sizes("");
    seed();
    memory();
    first_touch();
    rates();
    migrate();
  }

 private:
  /// Calls `body` for every tenant, with a new connection every 200 so that no backend grows; milliseconds each.
  double each(const std::function<void(Connection&, int)>& body) {
    const double begin = now();
    for (int tenant = 0; tenant < layout_.tenants();) {
      Connection db(conninfo_);
      for (int i = 0; i < 200 && tenant < layout_.tenants(); ++i, ++tenant) body(db, tenant);
    }
    return (now() - begin) * 1000 / layout_.tenants();
  }

  void make(const Texts& migrations) {
    Connection db(conninfo_);
    (void)db.run("CREATE SCHEMA mould; SET search_path = mould");
    for (const std::string& path : migrations) {
      std::ostringstream sql;
      sql << std::ifstream(path).rdbuf();
      (void)db.run(sql.str());
    }
    const char* column = layout_.own_rooms() ? "" : "mandate_tenant text COLLATE \"C\" NOT NULL, ";
    const char* tenant_key = layout_.own_rooms() ? "" : "mandate_tenant, ";
    const std::string rooms = db.run(replaced(replaced(kMould, "{column}", column), "{tenant}", tenant_key)).at(0);
    (void)db.run("DROP SCHEMA mould CASCADE; CREATE SCHEMA mandate");
    if (!layout_.own_rooms()) (void)db.run(replaced(rooms, "@", "mandate"));
    if (!layout_.own_apps()) (void)db.run(kDocuments);
    if (!layout_.own_rooms()) {
      const double tenant = each([](Connection& c, int t) {
        (void)c.run("INSERT INTO mandate.config VALUES ('" + Layout::name(t) + "', 'tenant', 'tenant', '{}', 1)");
      });
      print("make a tenant without an app, ms", tenant);
      sizes(" (no apps)");
    }
    if (!layout_.own_apps()) return;
    const std::string all = "CREATE SCHEMA @;" + (layout_.own_rooms() ? rooms : "") + kApp;
    double tenth = now(), first = 0;
    const int part = std::max(1, layout_.tenants() / 10);
    print("make a tenant with an app, ms", each([&](Connection& c, int t) {
            (void)c.run(replaced(all, "@", Layout::schema(t)));
            if (t + 1 == part) first = now() - tenth;
            if (t + 1 == layout_.tenants() - part) tenth = now();
          }));
    print("… the first tenth", first * 1000 / part);
    print("… the last tenth", (now() - tenth) * 1000 / part);
  }

  void sizes(const std::string& when) {
    Connection db(conninfo_);
    (void)db.run("CHECKPOINT");
    print("relations" + when, db.number("SELECT count(*) FROM pg_class"));
    for (const std::string catalogue : {"pg_class", "pg_attribute", "pg_index"})
      print(catalogue + when + ", MB", db.number("SELECT pg_total_relation_size('" + catalogue + "') / 1048576.0"));
    print("catalogues" + when + ", MB", db.number("SELECT sum(pg_total_relation_size(oid)) / 1048576.0 FROM pg_class"
                                                  " WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'"));
    print("database" + when + ", MB", db.number("SELECT pg_database_size(current_database()) / 1048576.0"));
  }

  void seed() {
    const auto rows = [](const std::string& table, const std::string& tenant, const std::string& values) {
      return "INSERT INTO " + table + " SELECT " + tenant + values + " FROM generate_series(0, " + std::to_string(kRows - 1) +
             ") i;";
    };
    const std::string key = "'0199f3a0-5c1e-7000-8000-00000000000' || i";
    const double ms = each([&](Connection& db, int t) {
      const std::string schema = layout_.own_rooms() ? Layout::schema(t) : "mandate";
      const std::string tenant = layout_.own_rooms() ? "" : "'" + Layout::name(t) + "', ";
      std::string sql = rows(schema + ".users", tenant,
                             key + ",'github','a@example.com',true,'','Ada','ada','','','','',false,'','{}','{}','{}',1,1,1,1,1");
      sql += rows(schema + ".sessions", tenant, key + ", " + key + ",'github|1','github',1,1,1,1,'[]','[]',1,1");
      sql += rows(schema + ".oauth_refresh_tokens", tenant, key + ",'family',1,1,'',''");
      if (layout_.own_apps())
        sql += rows(Layout::schema(t) + ".todoitem", "", key + ",1,false,'github|1','milk and bread',false,1");
      else
        sql += rows("mandate.items", tenant,
                    "'todoitem', " + key + R"(,1,false,'{"owner":"github|1","text":"milk and bread","complete":false,"due":1}')");
      (void)db.run(sql);
    });
    print("seed a tenant, ms", ms);
    if (!layout_.own_rooms())
      (void)Connection(conninfo_).run("ANALYZE mandate.users, mandate.sessions, mandate.oauth_refresh_tokens");
    if (!layout_.own_apps()) (void)Connection(conninfo_).run("ANALYZE mandate.items");
  }

  /// What one backend holds after it served so many tenants, five statements each.
  void memory() {
    Connection db(conninfo_);
    print("backend at first, KB", db.memory());
    db.begin_pipeline();
    int tenant = 0;
    for (const int stop : {10, 1000, 3000, 10000}) {
      if (stop > layout_.tenants()) break;
      for (; tenant < stop; ++tenant) {
        for (const Statement& s : {layout_.user(tenant, 0), layout_.session(tenant, 0), layout_.refresh(tenant, 0),
                                   layout_.item(tenant, 0), layout_.audit(tenant)}) {
          db.send(s.name, s.sql, s.parameters);
          (void)db.receive();
        }
      }
      print("backend after " + std::to_string(stop) + " tenants, KB", db.memory());
    }
  }

  /// One statement at a time on a new backend: the first of a tenant, and the same again.
  void first_touch() {
    for (const bool room : {true, false}) {
      Connection db(conninfo_);
      db.begin_pipeline();
      std::vector<double> firsts, seconds;
      const int step = std::max(1, layout_.tenants() / 300);
      for (int tenant = 0; tenant < layout_.tenants(); tenant += step) {
        const Statement s = room ? layout_.user(tenant, 1) : layout_.item(tenant, 1);
        for (std::vector<double>* times : {&firsts, &seconds}) {
          const double begin = now();
          db.send(s.name, s.sql, s.parameters);
          if (db.receive() != 1) std::fprintf(stderr, "the row is missing\n");
          times->push_back((now() - begin) * 1e6);
        }
      }
      const std::string what = room ? "room's row" : "app's row";
      for (const auto& [when, times] : {std::pair("first", &firsts), std::pair("second", &seconds)}) {
        std::nth_element(times->begin(), times->begin() + times->size() / 2, times->end());
        print(what + ", " + when + " read of a tenant, µs", (*times)[times->size() / 2]);
      }
    }
  }

  /// Operations a second over random tenants on one connection, after a second of warming up.
  double rate(const std::function<Statement(int tenant, int random)>& operation, double seconds, double* wal = nullptr) {
    Connection db(conninfo_), other(conninfo_);
    db.begin_pipeline();
    std::mt19937 chance(7);
    const auto send = [&] {
      const Statement s =
          operation(static_cast<int>(chance() % static_cast<unsigned>(layout_.tenants())), static_cast<int>(chance() % 1000));
      db.send(s.name, s.sql, s.parameters);
    };
    for (int i = 0; i < kDepth; ++i) send();
    const double warm = now() + std::min(1.0, seconds);
    while (now() < warm) db.receive(), send();
    const double lsn = other.number("SELECT pg_current_wal_insert_lsn() - '0/0'");
    const double begin = now();
    long done = 0;
    while (now() < begin + seconds) db.receive(), send(), ++done;
    const double took = now() - begin;
    if (wal) *wal = (other.number("SELECT pg_current_wal_insert_lsn() - '0/0'") - lsn) / static_cast<double>(done);
    return static_cast<double>(done) / took;
  }

  void rates() {
    print("room reads/s", rate(
                              [&](int tenant, int random) {
                                return random % 3 == 0   ? layout_.user(tenant, random % kRows)
                                       : random % 3 == 1 ? layout_.session(tenant, random % kRows)
                                                         : layout_.refresh(tenant, random % kRows);
                              },
                              seconds_));
    print("app reads/s", rate([&](int tenant, int random) { return layout_.item(tenant, random % kRows); }, seconds_));
    Connection db(conninfo_);
    (void)db.run("CHECKPOINT");
    const auto durable = [&](const char* value) {
      (void)db.run(std::string("ALTER SYSTEM SET fsync = ") + value);
      (void)db.run("SELECT pg_reload_conf()");
      while (Connection(conninfo_).run("SHOW fsync").at(0) != value) {
      }
    };
    durable("on");
    double wal = 0;
    print("commits/s", rate([&](int tenant, int) { return layout_.audit(tenant); }, seconds_, &wal));
    print("WAL a commit, bytes", wal);
    durable("off");
  }

  void migrate() {
    const std::string step = ".users ADD COLUMN nicer bigint NOT NULL DEFAULT 0";
    const double begin = now();
    if (layout_.own_rooms()) (void)each([&](Connection& db, int t) { (void)db.run("ALTER TABLE " + Layout::schema(t) + step); });
    else (void)Connection(conninfo_).run("ALTER TABLE mandate" + step);
    print("one migration over all, s", now() - begin);
  }

  std::string conninfo_;
  Layout layout_;
  double seconds_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: tenancy CONNINFO schemas|shared|documents TENANTS SECONDS SQL...\n");
    return 2;
  }
  Bench(argv[1], Layout(argv[2], std::atoi(argv[3])), std::atof(argv[4])).run(Texts(argv + 5, argv + argc));
}
