#include "server/house.h"

#include "delegation/mount.h"
#include "base/crypto.h"
#include "http/fetch.h"
#include "identity/bearer.h"
#include "identity/mount.h"
#include "management/departures.h"
#include "management/mount.h"
#include "oauth/mount.h"
#include "oauth/revocations.h"
#include "server/health.h"
#include "server/mover.h"
#include "server/nowhere.h"
#include "server/people.h"
#include "server/pushing.h"
#include "server/scheduling.h"
#include "server/upkeep.h"
#include "store/sqlite/sqlite.h"
#include "tables/code/code.h"
#include "tables/custom_api.h"
#include "tables/extensions.h"
#include "tables/mount.h"
#include "tables/script_fetch.h"
#include "tables/retention.h"
#include "tables/scripted.h"
#include "tenant/directory.h"

namespace mandate::server {
namespace {

// RL-9: two seconds of work may wait; a hash takes about 28 ms a core until the pool knows better. It refuses somewhat
// earlier, so that what it takes is not given up later.
constexpr std::chrono::milliseconds kLongestHashWait{1500};
std::size_t hash_queue(std::size_t workers) { return workers * 70; }

}  // namespace

HouseOptions house_options(const Config& config, std::string master_key) {
  HouseOptions out;
  out.data_dir = config.text("data_dir");
  out.store_url = config.text("store");
  out.postgres.schema = config.text("store_schema");
  out.postgres.read_connections = static_cast<std::size_t>(config.integer("store_read_connections"));
  out.postgres.write_connections = static_cast<std::size_t>(config.integer("store_write_connections"));
  out.postgres.most_together = static_cast<std::size_t>(config.integer("store_together"));
  out.postgres.notifications = config.flag("store_notifications");
  out.master_key = std::move(master_key);
  out.default_tenant = config.text("default_tenant");
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  out.workers = config.integer("password_workers") ? static_cast<std::size_t>(config.integer("password_workers")) : cores;
  out.password_cost = {config.bytes("password_memory"), static_cast<unsigned>(config.integer("password_passes"))};
  out.scripts.node = config.text("node");
  out.scripts.children = config.integer("script_children") ? static_cast<std::size_t>(config.integer("script_children"))
                                                           : std::max<std::size_t>(1, cores / 2);
  out.scripts.run_as = config.text("script_user");
  out.scripts.limits.wall = config.duration("script_wall");
  out.scripts.limits.cpu = config.duration("script_cpu");
  out.scripts.limits.heap_mb = config.bytes("script_heap") >> 20;
  out.scripts.limits.answer_bytes = config.bytes("script_answer");
  out.page_bytes = config.bytes("page_bytes");
  out.egress_allow = config.list("egress_allow");
  out.egress_ca_file = config.text("egress_ca_file");
  out.rates.token = static_cast<int>(config.integer("rate_token"));
  out.rates.ro = static_cast<int>(config.integer("rate_ro"));
  out.rates.authorize = static_cast<int>(config.integer("rate_authorize"));
  out.rates.userinfo = static_cast<int>(config.integer("rate_userinfo"));
  out.delegations_per_minute = static_cast<int>(config.integer("rate_delegation"));
  return out;
}

// Who meets whom. Members are in the order of the floors, so that each room ends before what it stands on.
struct House::Rooms {
  Rooms(HouseOptions o, const Clock& clock, Random& random, Log& log, Metrics& metrics, std::unique_ptr<http::Fetch> given)
      : options(std::move(o)), clock(clock), random(random), log(log), metrics(metrics),
        hashing(options.workers, hash_queue(options.workers), kLongestHashWait), signing(options.workers, 1000),
        fetch(given ? std::move(given) : http::make_fetch(options.egress_allow, options.egress_ca_file)),
        limiter(clock, 100'000, hmac_sha256(options.master_key, "rate limits")), files(options.data_dir),
        tenants([this](std::string_view name) { return open_store(name); }, tenant::Vault(options.master_key, random), signing,
                clock, random, log, options.default_tenant),
        users(clock, random), sessions(clock, random), passwords(users, hashing, clock, random, metrics, options.password_cost),
        bearers(tenants.vault(), users, clock, oauth::claims_revoked), strategies(identity::make_strategies(*fetch, tenants.vault(), random, clock)),
        scripts(scripts::make_host(options.scripts, log, metrics)), tables(clock, random, log, metrics, options.page_bytes),
        pushing({tenants, bearers, *fetch, limiter, clock, random, log, metrics,
                 [this](tenant::Here here, const tenant::Service* service, identity::Principal who, JsonObject registration) {
                   return extensions.on_register(std::move(here), service, std::move(who), std::move(registration));
                 }}),
        lines(clock, log, metrics, std::stoul(random.hex(4), nullptr, 16)), table_scripts(tables::make_table_scripts(*scripts, tables, lines, other_calls(), &service_calls)), people(users, passwords),
        login{tenants, users, sessions, passwords, strategies, limiter, clock, random, log, metrics},
        authorization{tenants, users, sessions, passwords, limiter, signing, clock, random, log, metrics, options.rates},
        trade{tenants, users, sessions, limiter, signing, clock, log, metrics, options.delegations_per_minute},
        backend{tenants, bearers, tables, table_scripts.get(), clock, log, metrics, &apis},
        desk{tenants, people, scripts.get(),
             [this](tenant::Here here, std::string client, std::string target, std::string user) {
               return explain(std::move(here), std::move(client), std::move(target), std::move(user));
             },
             clock, random, log, options.edition.version, nullptr} {
    if (options.store_url.empty()) {
      mover = std::make_unique<Mover>(files, options.postgres, options.edition.migrations(), clock, random, log);
      desk.moves = mover.get();
    }
    desk.jobs = &scheduling.desk;
    desk.sends = &pushing.sends;
    desk.registrations = &pushing.registrations;
    desk.code = &code;
    desk.tables = &tables;
    desk.departures = &departures;
    mount();
  }

  /// push.* and http.fetch of scripts.
  tables::OtherCalls other_calls() {
    return [this](const tables::OperationContext& context, std::string method, Json arguments) {
      if (method == "http.fetch") return script_fetch.fetch(context.service->name, std::move(arguments), context.deadline);
      return pushing.calls.invoke(context.here, context.service, std::move(method), std::move(arguments));
    };
  }

  /// The database that all tenants share, opened and brought up to date once.
  Result<store::PostgresCluster*> open_cluster() {
    if (!cluster) {
      store::PostgresOptions postgres = options.postgres;
      postgres.url = options.store_url;
      postgres.clock = &clock;
      postgres.random = &random;
      TRY(std::unique_ptr<store::PostgresCluster> opened, store::open_postgres(std::move(postgres), log, metrics));
      const auto migrations = options.edition.migrations();
      CHECK_OK(opened->migrate(migrations));
      cluster = std::move(opened);
    }
    return cluster.get();
  }

  Result<std::unique_ptr<store::Store>> open_store(std::string_view name) {
    if (!options.store_url.empty()) {
      TRY(store::PostgresCluster * shared, open_cluster());
      return shared->tenant(name);
    }
    store::SqliteOptions sqlite;
    sqlite.path = options.data_dir + "/" + std::string(name) + ".db";
    sqlite.clock = &clock;
    sqlite.vfs = options.store_vfs;
    TRY(std::unique_ptr<store::SqliteStore> opened, store::open_sqlite(sqlite, log, metrics));
    const auto migrations = options.edition.migrations();
    CHECK_OK(opened->migrate(migrations));
    CHECK_OK(files.add(std::string(name), *opened));
    return std::unique_ptr<store::Store>(std::move(opened));
  }

  void mount() {
    // Each service's doors are below its own path too. Where there is none, pages of its origins may read that.
    routes->on_unknown([this](http::Request& request) {
      const Result<tenant::Here> here = tenants.by_host(request.host);
      return here.ok() && ((request.prefix.empty() && (*here)->strip_prefix(request)) || lead_nowhere(**here, request));
    });
    mount_nowhere(*routes, tenants);
    mount_health(*routes);
    identity::mount(*routes, login, oauth::post_json_login(authorization, bearers, strategies));
    std::vector<std::unique_ptr<oauth::Grant>> grants;
    grants.push_back(delegation::make_token_exchange_grant(trade));
    oauth::mount(*routes, authorization, std::move(grants));
    oauth::mount_service_login(*routes, authorization, bearers, strategies);
    delegation::mount(*routes, trade);
    tables::mount(*routes, backend);
    pushing.mount(*routes);
    scheduling.mount(*routes);
    mount_health(*owner_routes);
    management::mount(*owner_routes, desk);
  }

  /// What a tenant needs now and then.
  Task<void> look_after(tenant::Here here) {
    Task<void> clearing = departures.visit(here);
    const Result<void> cleared = co_await clearing;
    Task<void> purging = retention.visit(here);
    CO_CHECK(co_await purging);
    co_return cleared;
  }

  Task<Json> explain(tenant::Here here, std::string client, std::string target, std::string user) {
    return delegation::explain(trade, std::move(here), std::move(client), std::move(target), std::move(user));
  }

  HouseOptions options;
  const Clock& clock;
  Random& random;
  Log& log;
  Metrics& metrics;
  CpuPool hashing, signing;
  std::unique_ptr<http::Fetch> fetch;
  tenant::RateLimiter limiter;
  std::unique_ptr<store::PostgresCluster> cluster;
  store::SqliteSource files;  ///< what a move goes out from
  tenant::TenantDirectory tenants;
  identity::Users users;
  identity::Sessions sessions;
  identity::Passwords passwords;
  identity::Bearers bearers;
  identity::Strategies strategies;
  std::unique_ptr<scripts::Host> scripts;
  tables::Tables tables;
  tables::code::CodeStore code{signing, log, metrics};
  tables::ServiceCalls service_calls{tenants, &code};
  tables::ScriptFetch script_fetch{*fetch, log, metrics};
  Pushing pushing;
  tables::ScriptLog lines;
  std::unique_ptr<tables::Script> table_scripts;
  tables::CustomApis apis{*scripts, tables, lines, service_calls, other_calls()};
  tables::Extensions extensions{*scripts, tables, lines, service_calls, other_calls()};
  Scheduling scheduling{{tenants, bearers, tables::jobs::make_job_scripts(*scripts, tables, lines, &service_calls, other_calls()), clock, random, log, metrics}};
  management::Departures departures{tenants, tables, random.token(12), clock, log};
  People people;
  // What each room's doors work with; the routes refer to them.
  const identity::Deps login;
  const oauth::Deps authorization;
  const delegation::Deps trade;
  const tables::Deps backend;
  management::Deps desk;
  std::shared_ptr<http::Router> routes = std::make_shared<http::Router>(&log);
  std::shared_ptr<http::Router> owner_routes = std::make_shared<http::Router>(&log);
  std::atomic<int> keeping_up{0};
  std::unique_ptr<Mover> mover;
  tables::Retention retention{clock, log, metrics};
  std::unique_ptr<Upkeep> upkeep;
};

House::House(HouseOptions options, const Clock& clock, Random& random, Log& log, Metrics& metrics, std::unique_ptr<http::Fetch> fetch)
    : rooms_(std::make_unique<Rooms>(std::move(options), clock, random, log, metrics, std::move(fetch))) {}

House::~House() = default;

Task<void> House::open() {
  Task<void> opening = rooms_->tenants.open();
  co_return co_await opening;
}

void House::start_upkeep(Loop& loop) {
  rooms_->scripts->home(loop);
  rooms_->upkeep = std::make_unique<Upkeep>(Upkeep::Parts{loop, rooms_->tenants, rooms_->tenants.system(), rooms_->limiter,
                                                          rooms_->random.token(12), rooms_->clock, rooms_->log, rooms_->metrics,
                                                          rooms_->keeping_up,
                                                          [rooms = rooms_.get()](tenant::Here here) { return rooms->look_after(std::move(here)); }});
  rooms_->upkeep->start();
  rooms_->pushing.start(loop, rooms_->tenants.system(), rooms_->keeping_up);
  rooms_->scheduling.start(loop, rooms_->tenants.system(), rooms_->keeping_up);
}

void House::leave() {
  if (rooms_->upkeep) rooms_->upkeep->leave();
  rooms_->scheduling.leave();
}

bool House::working() const { return rooms_->scripts->under_way() > 0 || !rooms_->lines.idle() || rooms_->keeping_up > 0 || rooms_->tenants.reading() || rooms_->code.loading(); }

void House::stop() {
  if (rooms_->mover) rooms_->mover->stop();
  rooms_->upkeep.reset();
  rooms_->pushing.stop();
  rooms_->scheduling.stop();
  rooms_->scripts->stop();
}

bool House::moving() const { return rooms_->mover && rooms_->mover->progress(0).at("state") == "moving"; }

bool House::ready() const { return rooms_->tenants.writable(); }

std::shared_ptr<const http::Router> House::routes() const { return rooms_->routes; }
std::shared_ptr<const http::Router> House::owner_routes() const { return rooms_->owner_routes; }

}  // namespace mandate::server
