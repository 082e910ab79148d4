#include <csignal>
#include <cstdio>
#include <ctime>
#include <thread>

#include "base/metrics.h"
#include "server/house.h"
#include "server/mover.h"
#include "store/postgres/move.h"

namespace mandate::server {
namespace {

constexpr int kFailed = 1, kWrongOptions = 2;

int complain(int status, const Error& error) {
  std::fprintf(stderr, "mandate: %s\n", (error.hint.empty() ? error.detail : error.hint).c_str());
  if (!error.hint.empty() && !error.detail.empty()) std::fprintf(stderr, "mandate: (%s)\n", error.detail.c_str());
  return status;
}

/// Takes "--name value" or "--name=value" out of the arguments.
std::string take(std::vector<std::string>& arguments, const std::string& name) {
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    if (at->starts_with(name + "=")) {
      std::string value = at->substr(name.size() + 1);
      arguments.erase(at);
      return value;
    }
    if (*at != name || at + 1 == arguments.end()) continue;
    std::string value = *(at + 1);
    arguments.erase(at, at + 2);
    return value;
  }
  return {};
}

/// SIGINT and SIGTERM give the move up, so that it takes away what it made at its source. Make it before any other thread.
class Interrupt {
 public:
  Interrupt() {
    sigemptyset(&signals_);
    for (const int one : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, one);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    waiting_ = std::thread([this] {
      const timespec a_moment{0, 100'000'000};
      while (!over_ && !stop_)
        if (sigtimedwait(&signals_, nullptr, &a_moment) > 0) stop_ = true;
    });
  }
  ~Interrupt() {
    over_ = true;
    waiting_.join();
  }
  Interrupt(const Interrupt&) = delete;
  const std::atomic<bool>& stop() const { return stop_; }

 private:
  sigset_t signals_;
  std::atomic<bool> stop_{false}, over_{false};
  std::thread waiting_;
};

struct Ends {
  MovePlace from, to;
  store::PostgresOptions postgres;
  const Clock& clock;
  Log& log;
  Metrics& metrics;
  std::span<const store::Migration> migrations;

  store::PostgresOptions options_for(const MovePlace& place) const {
    store::PostgresOptions out = postgres;
    out.url = place.url;
    out.schema = place.schema;
    return out;
  }
};

Result<void> move(const Ends& ends, const std::string& id, const std::atomic<bool>& stop) {
  const store::SayMove say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  store::MoveOptions options;
  options.stop = &stop;
  if (!ends.from.sqlite()) {
    const auto source = store::postgres_source(ends.options_for(ends.from), ends.log, ends.metrics);
    const auto target = store::sqlite_target(ends.to.directory, ends.migrations, ends.clock);
    return store::move_all(*source, *target, id, ends.from.shown(), ends.to.shown(), options, say);
  }
  // The source is asked by the stores, so it outlives them.
  store::SqliteSource source(ends.from.directory);
  std::vector<std::unique_ptr<store::SqliteStore>> stores;
  TRY(const store::MoveMark mark, source.mark());
  if (mark.state != "left") {
    const std::vector<std::string> files = store::sqlite_files(ends.from.directory);
    if (std::find(files.begin(), files.end(), "system") == files.end())
      return Error(Code::not_found, "There is no data in " + ends.from.directory + ": system.db is missing.");
    for (const std::string& tenant : files) {
      store::SqliteOptions file;
      file.path = ends.from.directory + "/" + tenant + ".db";
      file.clock = &ends.clock;
      TRY(std::unique_ptr<store::SqliteStore> opened, store::open_sqlite(file, ends.log, ends.metrics));
      CHECK_OK(opened->migrate(ends.migrations));
      CHECK_OK(source.add(tenant, *opened));
      stores.push_back(std::move(opened));
    }
  }
  const auto target = store::postgres_target(ends.options_for(ends.to), ends.migrations, ends.log, ends.metrics);
  options.longest_hold = std::chrono::hours(1);  // nobody waits
  return store::move_all(source, *target, id, ends.from.shown(), ends.to.shown(), options, say);
}

}  // namespace

int move_offline(const std::vector<std::string>& arguments, const Edition& edition, const Clock& clock, Random& random) {
  std::vector<std::string> rest = arguments;
  const std::string from = take(rest, "--from"), to = take(rest, "--to");
  const Result<Config> config = Config::load(rest, Config::process_environment());
  if (!config.ok()) return complain(kWrongOptions, config.error());
  const std::string schema = config->text("store_schema");
  const Result<MovePlace> source = move_place(from, schema), target = move_place(to, schema);
  if (!source.ok()) return complain(kWrongOptions, source.error());
  if (!target.ok()) return complain(kWrongOptions, target.error());
  if (source->sqlite() == target->sqlite())
    return complain(kWrongOptions, Error(Code::invalid_request, "One of the two places is sqlite:DIRECTORY, the other postgres://…: between two of a kind copy with the engine's own tools."));
  const Interrupt interrupt;
  Log log(clock, Level::warn);
  Metrics metrics;
  const std::vector<store::Migration> migrations = edition.migrations();
  Ends ends{*source, *target, house_options(*config, {}).postgres, clock, log, metrics, migrations};
  ends.postgres.clock = &clock;
  ends.postgres.random = &random;
  const Result<void> moved = move(ends, random.hex(8), interrupt.stop());
  if (!moved.ok()) return complain(kFailed, moved.error());
  return 0;
}

}  // namespace mandate::server
