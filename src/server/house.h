// The whole house: every room built once, each handed what it needs. Nobody else sees all of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/cpu_pool.h"
#include "http/fetch.h"
#include "http/router.h"
#include "identity/password.h"
#include "oauth/deps.h"
#include "scripts/host.h"
#include "server/edition.h"
#include "store/postgres/postgres.h"
#include "tables/operations.h"

namespace mandate::server {

/// What differs between a server, a test and a demo.
struct HouseOptions {
  std::string data_dir;        ///< one file per tenant below it, unless there is a store_url
  std::string store_url;       ///< postgres://…; empty = SQLite
  store::PostgresOptions postgres = {};  ///< the rest of what concerns it
  std::string master_key;      ///< 32 bytes
  std::string store_vfs;       ///< as SqliteOptions::vfs
  std::string default_tenant;
  std::size_t workers = 2;     ///< threads for password hashing, and as many for RSA private keys
  identity::PasswordCost password_cost;
  scripts::HostOptions scripts;
  std::size_t page_bytes = tables::kPageBytes;  ///< largest list of items in one answer
  std::vector<std::string> egress_allow;
  std::string egress_ca_file;
  oauth::Rates rates;
  int delegations_per_minute = 10;
  Edition edition = this_edition();
};
HouseOptions house_options(const Config& config, std::string master_key);

/// Build it, take its routes to a server or a test, then open() it on a loop that lives as long as the house.
class House {
 public:
  /// `fetch` replaces the way out, for tests; null = the real one.
  House(HouseOptions options, const Clock& clock, Random& random, Log& log, Metrics& metrics,
        std::unique_ptr<http::Fetch> fetch = nullptr);
  ~House();

  /// Opens the stores (running migrations) and every tenant. The first error that makes serving pointless.
  Task<void> open();
  /// Starts what the house does by itself: chaining the audit log, sweeping what has expired. On a loop, after open().
  void start_upkeep(Loop& loop);
  /// Others may do what this house does for all of them: it will stop. From any thread, between start_upkeep() and stop().
  void leave();
  /// Whether scripts go on after their answers, lines of theirs are on their way to a store, or upkeep is under way: what
  /// stop() should wait for. From any thread.
  bool working() const;
  /// A move to another engine is under way, which stop() would give up. From any thread.
  bool moving() const;
  /// Ends upkeep and scripts. On the loop that started it, before the loops end.
  void stop();
  /// False when a store can no longer write: another start is needed (RL-4). After open(), from any thread.
  bool ready() const;
  std::shared_ptr<const http::Router> routes() const;
  std::shared_ptr<const http::Router> owner_routes() const;

 private:
  struct Rooms;
  std::unique_ptr<Rooms> rooms_;
};

}  // namespace mandate::server
