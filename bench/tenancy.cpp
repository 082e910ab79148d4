// How tenants may lie in PostgreSQL, measured (ADR 0010): tenancy CONNINFO LAYOUT TENANTS SECONDS SQL...
//
//   schemas    a schema per tenant: the rooms' tables and the app's
//   shared     the rooms' tables once, the tenant first in every key; the app's tables in a schema per tenant
//   documents  as shared, but the rows of all apps in one table, as jsonb
//
// SQL... are the rooms' migrations in order. Prints a line "figure<tab>value" for each figure. The database must be
// empty, the user a superuser of a cluster of its own: fsync is switched by this program.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "bench/tenancy_layout.h"

namespace mandate::bench {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr int kRows = 10;              // of each seeded table and tenant
constexpr int kDepth = 64;             // operations in flight, each with its own Sync

double now() { return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void print(const std::string& figure, double value) {
  std::printf("%s\t%.6g\n", figure.c_str(), value);
  std::fflush(stdout);
}

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
    // The long list of tenant 0: 2,000 items of ten owners.
    const std::string item = "'item' || i, 1, false, ";
    const std::string owner = "'github|' || i % 10";
    (void)Connection(conninfo_).run(
        layout_.own_apps()
            ? "INSERT INTO " + Layout::schema(0) + ".todoitem SELECT " + item + owner +
                  ", 'milk and bread', i % 3 = 0, i FROM generate_series(1, 2000) i; ANALYZE " + Layout::schema(0) + ".todoitem"
            : "INSERT INTO mandate.items SELECT '" + Layout::name(0) + "', 'todoitem', " + item + "jsonb_build_object('owner', " +
                  owner + ", 'text', 'milk and bread', 'complete', i % 3 = 0, 'due', i) FROM generate_series(1, 2000) i");
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

  /// Operations a second over random tenants on one connection, after half as many seconds of warming up.
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
    const double warm = now() + seconds / 2;
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
    print("room reads/s", rate([&](int tenant, int random) { return read(tenant, random); }, seconds_));
    print("app reads/s", rate([&](int tenant, int random) { return layout_.item(tenant, random % kRows); }, seconds_));
    print("lists/s of 50 of 2,000 of an app", rate([&](int, int random) { return layout_.list(random % 10); }, seconds_));
    Connection db(conninfo_);
    for (const bool durable : {false, true}) {
      (void)db.run("CHECKPOINT");
      set_fsync(db, durable);
      double wal = 0;
      const double commits = rate([&](int tenant, int) { return layout_.audit(tenant); }, seconds_, &wal);
      print(durable ? "commits/s" : "commits/s without fsync", commits);
      if (durable) print("WAL a commit, bytes", wal);
    }
    set_fsync(db, false);
  }

  Statement read(int tenant, int random) const {
    if (random % 3 == 0) return layout_.user(tenant, random % kRows);
    return random % 3 == 1 ? layout_.session(tenant, random % kRows) : layout_.refresh(tenant, random % kRows);
  }

  void set_fsync(Connection& db, bool on) {
    (void)db.run(std::string("ALTER SYSTEM SET fsync = ") + (on ? "on" : "off"));
    (void)db.run("SELECT pg_reload_conf()");
    while ((Connection(conninfo_).run("SHOW fsync").at(0) == "on") != on) continue;
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
}  // namespace mandate::bench

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: tenancy CONNINFO schemas|shared|documents TENANTS SECONDS SQL...\n");
    return 2;
  }
  using namespace mandate::bench;
  Bench(argv[1], Layout(argv[2], std::atoi(argv[3])), std::atof(argv[4])).run(Texts(argv + 5, argv + argc));
}
