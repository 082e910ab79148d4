#include "store/postgres/core.h"

#include <algorithm>

namespace mandate::store::postgres {
namespace {

constexpr std::size_t kWaitingThreads = 2, kWaitingJobs = 1000, kKeptChanges = 1000;

// What nodes keep in memory and must hear of within a second (RL-20); of push and jobs that there is nothing to do.
constexpr std::string_view kAnnounced[] = {"config", "users", "identities", "oauth_revocations", "table_shapes", "push_sends", "job_runs"};

void ignore_notice(void*, const PGresult*) {}

}  // namespace

Core::Core(PostgresOptions options, Log& log, Metrics& metrics)
    : reads(metrics.counter("mandate_store_reads_total", "Reads answered")),
      merged_reads(metrics.counter("mandate_store_merged_reads_total", "Reads that shared a statement with others of their tick")),
      mutations(metrics.counter("mandate_store_mutations_total", "Mutations committed")),
      commits(metrics.counter("mandate_store_commits_total", "Group commits")),
      retries(metrics.counter("mandate_store_retries_total", "Batches run again after a deadlock, a refusal of a neighbour or a lost connection")),
      timeouts(metrics.counter("mandate_store_timeouts_total", "Reads ended at their time limit")),
      lost_links(metrics.counter("mandate_store_connections_lost_total", "Connections to the database that broke")),
      doubts(metrics.counter("mandate_store_commits_in_doubt_total", "Commits whose answer was lost and that had to be asked for")),
      failures(metrics.counter("mandate_store_write_failures_total", "Commits that could not be written")),
      links(metrics.gauge("mandate_store_connections", "Open connections to the database")),
      queued(metrics.gauge("mandate_store_queue", "Batches waiting for a connection")),
      indexes_waiting(metrics.gauge("mandate_store_tables_without_index", "Tables with an index that is still to be made")),
      commit_seconds(metrics.histogram("mandate_store_commit_seconds", "From BEGIN to durable, one group")),
      options_(std::move(options)), log_(log), waiting_(kWaitingThreads, kWaitingJobs), building_(1, kWaitingJobs) {}

Result<Connection> Core::connect() {
  // What the URL says itself comes later and wins.
  const std::string limit = std::to_string(std::max<std::int64_t>(1, options_.connect_limit.count() / 1000));
  const std::string stalled = std::to_string(options_.statement_limit.count() * 2);
  const char* keys[] = {"application_name", "connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
                        "tcp_user_timeout", "client_encoding", "dbname", nullptr};
  const char* values[] = {"mandated", limit.c_str(), "5", "2", "3", stalled.c_str(), "UTF8", options_.url.c_str(), nullptr};
  Connection c(PQconnectdbParams(keys, values, 1));
  if (!c || PQstatus(c.get()) != CONNECTION_OK) {
    Error error = lost(c.get());
    error.hint = "The database cannot be reached.";
    if (c && PQconnectionNeedsPassword(c.get())) error = Error(Code::forbidden, "The database asks for a password.", error.detail);
    return error;
  }
  PQsetNoticeReceiver(c.get(), ignore_notice, nullptr);
  CHECK_OK(run(c.get(), "SET search_path TO " + identifier(options_.schema) + "; SET statement_timeout TO " +
                            std::to_string(options_.statement_limit.count()) + "; SET lock_timeout TO 0; SET standard_conforming_strings TO on; SET TIME ZONE 'UTC'",
               Patience::of(options_.connect_limit)));
  // A node that vanishes in the middle of a batch holds its locks until the server notices. Not every engine knows the words.
  (void)run(c.get(), "SET tcp_keepalives_idle TO 5; SET tcp_keepalives_interval TO 2; SET tcp_keepalives_count TO 3",
            Patience::of(options_.connect_limit));
  if (PQstatus(c.get()) != CONNECTION_OK) return lost(c.get());
  return c;
}

Result<Core::Writing> Core::connect_to_write() {
  TRY(Connection c, connect());
  Writing out;
  out.stream = options_.random->token(16);
  // A server that takes no writes is of no use here, whatever the URL says of sessions.
  TRY(const Answer made, run(c.get(), std::string("INSERT INTO mandate_streams SELECT $1::text, 0, ") + kDatabaseNow +
                                      ", false WHERE NOT EXISTS (SELECT FROM mandate_move WHERE state = 'left')", {out.stream},
               Patience::of(options_.connect_limit)));
  if (std::string_view(PQcmdTuples(made.get())) == "0")
    return Error(Code::temporarily_unavailable, "The data has moved: this database takes no changes any more.");
  out.connection = std::move(c);
  const std::lock_guard lock(mutex_);
  streams_.insert(out.stream);
  return out;
}

bool Core::own_stream(const std::string& stream) const {
  const std::lock_guard lock(mutex_);
  return streams_.contains(stream);
}

Result<void> Core::learn_shared_tables(PGconn* connection) {
  TRY(const Answer columns,
      run(connection,
          "SELECT c.relname, a.attname, a.atttypid, a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          " JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0"
          " AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
          {options_.schema}));
  std::map<std::string, std::shared_ptr<Table>, std::less<>> found;
  for (int i = 0; i < PQntuples(columns.get()); ++i) {
    const std::string name(cell(columns, i, 0)), column(cell(columns, i, 1));
    auto& table = found[name];
    if (!table) {
      table = std::make_shared<Table>();
      table->id = next_id();
      table->name = name;
      table->sql = identifier(options_.schema) + "." + identifier(name);
    }
    if (column == kTenantColumn) {
      table->shared = true;
      continue;
    }
    const auto kind = static_cast<Kind>(std::stoul(std::string(cell(columns, i, 2))));
    table->columns.push_back({column, identifier(column), kind, cell(columns, i, 3) == "t"});
  }
  const std::lock_guard lock(mutex_);
  shared_.clear();
  for (const auto& [name, table] : found)
    if (table->shared) shared_.emplace(name, table);
  return {};
}

TablePtr Core::shared_table(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = shared_.find(name);
  return found == shared_.end() ? nullptr : found->second;
}

Watchers& Core::watchers(std::string_view tenant) {
  const std::lock_guard lock(mutex_);
  auto found = watchers_.find(tenant);
  if (found == watchers_.end()) found = watchers_.emplace(std::string(tenant), std::make_unique<Watchers>()).first;
  return *found->second;
}

void Core::tell(std::string_view tenant, const std::set<std::string>& tables) {
  Watchers& who = watchers(tenant);
  who.count(tables);
  for (auto& [loop, call] : who.calls_for(tables)) {
    if (loop) loop->post(std::move(call));
    else call();
  }
}

void Core::distrust() {
  std::vector<std::string> tenants;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, who] : watchers_) tenants.push_back(name);
  }
  std::set<std::string> all;
  for (const std::string_view table : kAnnounced) all.emplace(table);
  for (const std::string& tenant : tenants) tell(tenant, all);
  every_schema_changed();
}

void Core::schema_changed(const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t version = schema_version_.load(std::memory_order_relaxed) + 1;
  schema_changes_.emplace_back(version, tenant);
  if (schema_changes_.size() > kKeptChanges) {
    forgotten_changes_ = schema_changes_.front().first;
    schema_changes_.pop_front();
  }
  schema_version_.store(version, std::memory_order_release);
}

void Core::every_schema_changed() {
  const std::lock_guard lock(mutex_);
  schema_changes_.clear();
  forgotten_changes_ = schema_version_.load(std::memory_order_relaxed) + 1;
  schema_version_.store(forgotten_changes_, std::memory_order_release);
}

std::optional<std::set<std::string>> Core::changed_since(std::uint64_t version) const {
  const std::lock_guard lock(mutex_);
  if (version < forgotten_changes_) return std::nullopt;
  std::set<std::string> out;
  for (auto change = schema_changes_.rbegin(); change != schema_changes_.rend() && change->first > version; ++change) out.insert(change->second);
  return out;
}

bool Core::announced(std::string_view table) const {
  return std::find(std::begin(kAnnounced), std::end(kAnnounced), table) != std::end(kAnnounced);
}

}  // namespace mandate::store::postgres
