#include "store/postgres/postgres.h"

#include "store/columns.h"
#include "store/postgres/bootstrap.h"
#include "store/postgres/builder.h"
#include "store/postgres/desk.h"
#include "store/postgres/feed.h"
#include "store/postgres/migrations.h"
#include "store/postgres/move_mark.h"
#include "store/postgres/schema.h"

namespace mandate::store {
namespace {

using namespace postgres;

/// The desks of the loops that have asked something. Thread-safe.
class Desks : public std::enable_shared_from_this<Desks> {
 public:
  explicit Desks(Core& core) : core_(core) {}

  Result<std::shared_ptr<Desk>> here() {
    Loop* loop = Loop::current();
    if (!loop) return Error(Code::server_error, "", "this store is asked on a loop");
    const std::size_t index = loop->index();
    if (index < by_index_.size()) {
      // Only this loop's thread ever touches what stands for it.
      Place& place = by_index_[index];
      if (place.loop.load(std::memory_order_acquire) == loop) return place.desk;
    }
    return add(loop);
  }

  void close() {
    std::map<Loop*, std::shared_ptr<Desk>> all;
    {
      const std::lock_guard lock(mutex_);
      all.swap(by_loop_);
      for (Place& place : by_index_) place.loop.store(nullptr, std::memory_order_release);
    }
    for (const auto& [loop, desk] : all) desk->close();
    for (Place& place : by_index_) place.desk.reset();
  }

 private:
  struct Place {
    std::atomic<Loop*> loop{nullptr};
    std::shared_ptr<Desk> desk;
  };

  std::shared_ptr<Desk> add(Loop* loop) {
    std::shared_ptr<Desk> desk;
    {
      const std::lock_guard lock(mutex_);
      auto& place = by_loop_[loop];
      if (!place) {
        place = std::make_shared<Desk>(*loop, core_);
        desk = place;
      }
      if (loop->index() < by_index_.size() && !by_index_[loop->index()].loop) {
        by_index_[loop->index()].desk = place;
        by_index_[loop->index()].loop.store(loop, std::memory_order_release);
      }
      if (!desk) return place;
    }
    desk->start();
    loop->at_end([self = weak_from_this(), loop] {
      if (const auto alive = self.lock()) alive->leave(loop);
    });
    return desk;
  }

  void leave(Loop* loop) {
    std::shared_ptr<Desk> desk;
    {
      const std::lock_guard lock(mutex_);
      const auto found = by_loop_.find(loop);
      if (found == by_loop_.end()) return;
      desk = std::move(found->second);
      by_loop_.erase(found);
      for (Place& place : by_index_) {
        if (place.loop != loop) continue;
        place.loop.store(nullptr, std::memory_order_release);
        place.desk.reset();
      }
    }
    desk->close();
  }

  Core& core_;
  std::mutex mutex_;
  std::map<Loop*, std::shared_ptr<Desk>> by_loop_;
  std::array<Place, 64> by_index_;
};

class TenantStore final : public Store {
 public:
  TenantStore(std::string tenant, Core& core, Desks& desks, Builder& builder)
      : tenant_(std::move(tenant)), core_(core), desks_(desks), builder_(builder) {}

  Capabilities capabilities() const override { return {"postgres", false, true}; }

  Task<std::optional<Row>> get(Plan plan) override {
    CO_TRY(const std::shared_ptr<Desk> desk, desks_.here());
    for (bool again = false;; again = true) {
      Task<ReadAskPtr> asking = ask(*desk, plan, Wanted::first);
      CO_TRY(const ReadAskPtr asked, co_await asking);
      const Dropped dropped(asked);
      CO_CHECK(desk->push(asked));
      Waiting waiting(asked);
      co_await waiting;
      if (!asked->error) co_return std::move(asked->found);
      if (!asked->stale || again) co_return *asked->error;
      desk->forget(tenant_, plan.table);
    }
  }

  Task<Listed> list(Plan plan, std::function<bool(const RowView&)> each) override {
    CO_TRY(const std::shared_ptr<Desk> desk, desks_.here());
    for (bool again = false;; again = true) {
      Listed listed;
      Task<ReadAskPtr> asking = ask(*desk, plan, Wanted::rows);
      CO_TRY(const ReadAskPtr asked, co_await asking);
      const Dropped dropped(asked);
      std::size_t bytes = 0;
      bool more = true;
      const Statement* statement = asked->statement.get();
      asked->each = [&listed, &bytes, &more, &each, &plan, statement](const PGresult* result, int number) {
        if (!more) return false;
        if (plan.most_bytes && bytes >= plan.most_bytes) {
          listed.cut = true;
          return more = false;
        }
        ResultRow row(result, *statement->names, statement->kinds);
        row.at(number);
        bytes += row.bytes();
        ++listed.rows;
        return more = each(row);
      };
      ReadAskPtr counting;
      if (plan.count) {
        Task<ReadAskPtr> number = ask(*desk, plan, Wanted::count);
        CO_TRY(counting, co_await number);
      }
      const Dropped count_dropped(counting);
      CO_CHECK(desk->push(asked));
      if (counting) CO_CHECK(desk->push(counting));
      Waiting waiting(asked);
      co_await waiting;
      if (counting && !asked->error) {
        Waiting for_count(counting);
        co_await for_count;
        if (counting->error) asked->error = counting->error;
        else if (counting->found) listed.total = counting->found->integer("count");
      }
      if (!asked->error) co_return listed;
      if (!asked->stale || again) co_return *asked->error;
      desk->forget(tenant_, plan.table);
    }
  }

  Task<Outcome> mutate(Batch batch) override {
    CO_TRY(const std::shared_ptr<Desk> desk, desks_.here());
    const auto now = std::chrono::steady_clock::now();
    if (batch.deadline < now) co_return Error(Code::timeout, "The server is busy.");
    if (batch.mutations.empty()) co_return Outcome{};
    auto asked = std::make_shared<WriteAsk>();
    asked->tenant = tenant_;
    asked->batch = std::move(batch);
    asked->until = std::min(asked->batch.deadline, now + core_.options().statement_limit * 2);
    for (bool again = false;; again = true) {
      for (const Mutation& mutation : asked->batch.mutations) {
        for (bool fresh = again;; fresh = true) {
          Task<TablePtr> looking = table(*desk, mutation.table, fresh, asked->until);
          CO_TRY(const TablePtr there, co_await looking);
          Result<void> added = desk->add_step(*asked, mutation, there);
          if (added.ok()) break;
          // A column another node has just made is not known here yet.
          if (fresh || there->shared) co_return added.error();
        }
      }
      CO_CHECK(desk->push(asked));
      Waiting waiting(asked);
      co_await waiting;
      if (!asked->error) co_return std::move(asked->outcome);
      if (!asked->stale || again) co_return *asked->error;
      auto next = std::make_shared<WriteAsk>();
      next->tenant = tenant_;
      next->batch = std::move(asked->batch);
      next->until = asked->until;
      asked = std::move(next);
    }
  }

  Task<void> ensure_table(std::string name, std::vector<ColumnSpec> columns) override {
    std::function<Result<bool>()> work = [this, &name, &columns]() -> Result<bool> {
      CHECK_OK(postgres::ensure_table(core_, tenant_, name, columns));
      return true;
    };
    Task<bool> changing = core_.waiting().run<bool>(work);
    Result<bool> changed = co_await changing;
    CO_CHECK(std::move(changed));
    co_return ok();
  }

  Task<void> ensure_indexes(std::string name, std::vector<IndexSpec> indexes) override {
    std::vector<IndexSpec> forgotten;
    if (!others_stay(indexes)) forgotten = builder_.forget(tenant_, name);
    std::function<Result<std::vector<IndexSpec>>()> work = [this, &name, &indexes] { return postgres::ensure_indexes(core_, tenant_, name, indexes); };
    Task<std::vector<IndexSpec>> changing = core_.building().run<std::vector<IndexSpec>>(work);
    Result<std::vector<IndexSpec>> behind = co_await changing;
    if (!behind.ok()) {
      // They are wanted before as after.
      std::erase_if(forgotten, [&](const IndexSpec& old) {
        return std::ranges::none_of(indexes, [&](const IndexSpec& each) { return index_name(name, each) == index_name(name, old); });
      });
      if (!forgotten.empty()) builder_.add(tenant_, name, std::move(forgotten));
      co_return std::move(behind).error();
    }
    if (!behind->empty()) builder_.add(tenant_, name, std::move(*behind));
    co_return ok();
  }

  Task<void> drop_table(std::string name) override {
    std::vector<IndexSpec> forgotten = builder_.forget(tenant_, name);
    std::function<Result<bool>()> work = [this, &name]() -> Result<bool> {
      CHECK_OK(postgres::drop_table(core_, tenant_, name));
      return true;
    };
    Task<bool> changing = core_.waiting().run<bool>(work);
    Result<bool> changed = co_await changing;
    if (!changed.ok() && !forgotten.empty()) builder_.add(tenant_, name, std::move(forgotten));
    CO_CHECK(std::move(changed));
    std::set<std::string> touched;
    touched.insert(name);
    core_.tell(tenant_, touched);
    co_return ok();
  }

  Task<std::vector<ColumnSpec>> describe(std::string name) override {
    Task<std::vector<ColumnSpec>> reading = columns_written_down(*this, std::move(name));
    Result<std::vector<ColumnSpec>> columns = co_await reading;
    co_return columns;
  }

  Task<std::string> check() override {
    std::function<Result<std::string>()> work = [this] { return postgres::check(core_, tenant_); };
    if (!Loop::current()) co_return work();
    Task<std::string> checking = core_.waiting().run<std::string>(work);
    Result<std::string> report = co_await checking;
    co_return report;
  }

  std::unique_ptr<Watch> watch(std::vector<std::string> tables, std::function<void(std::string_view)> changed) override {
    return core_.watchers(tenant_).add(std::move(tables), std::move(changed));
  }

  const std::atomic<std::uint64_t>* changes(std::string_view table) override {
    return core_.announced(table) ? &core_.watchers(tenant_).changes(table) : nullptr;
  }
  const std::atomic<std::uint64_t>* commits(std::string_view table) override { return &core_.watchers(tenant_).changes(table); }

 private:
  /// A read nobody waits for any more writes nowhere.
  struct Dropped {
    explicit Dropped(ReadAskPtr ask) : ask(std::move(ask)) {}
    Dropped(const Dropped&) = delete;
    ~Dropped() {
      if (ask) ask->done = true;
    }
    ReadAskPtr ask;
  };

  /// What is known of the table; read from the database when it is not, or `fresh`.
  Task<TablePtr> table(Desk& desk, const std::string& name, bool fresh, Deadline until) {
    if (TablePtr known = desk.known(tenant_, name); known && (!fresh || known->shared)) co_return known;
    Task<std::vector<ColumnSpec>> describing = columns_written_down(*this, name, until);
    CO_TRY(const std::vector<ColumnSpec> columns, co_await describing);
    if (columns.empty()) co_return Error(Code::server_error, "", "no such table: " + name);
    co_return desk.keep(tenant_, name, columns);
  }

  Task<ReadAskPtr> ask(Desk& desk, const Plan& plan, Wanted wanted) {
    for (bool fresh = false;; fresh = true) {
      Task<TablePtr> looking = table(desk, plan.table, fresh, plan.deadline);
      CO_TRY(const TablePtr there, co_await looking);
      Result<ReadAskPtr> made = desk.ask_for(tenant_, plan, wanted, there);
      if (made.ok() || fresh || there->shared || made.error().code != Code::invalid_request) co_return made;
    }
  }

  std::string tenant_;
  Core& core_;
  Desks& desks_;
  Builder& builder_;
};

class Cluster final : public PostgresCluster {
 public:
  Cluster(PostgresOptions options, Log& log, Metrics& metrics) : core_(std::move(options), log, metrics) {}
  ~Cluster() override { desks_->close(); }

  Result<void> open() {
    TRY(const Connection connection, core_.connect());
    CHECK_OK(run(connection.get(), "SET statement_timeout TO 0"));
    TRY(const Answer encoding, run(connection.get(), "SHOW server_encoding"));
    if (cell(encoding, 0, 0) != "UTF8") return Error(Code::invalid_request, "The database must be in UTF8; it is in " + std::string(cell(encoding, 0, 0)) + ".");
    CHECK_OK(bootstrap(connection.get(), core_.options().schema));
    CHECK_OK(check_mark(connection.get()));
    CHECK_OK(core_.learn_shared_tables(connection.get()));
    CHECK_OK(feed_.begin(connection.get()));
    feed_.start();
    return {};
  }

  std::unique_ptr<Store> tenant(std::string_view name) override { return std::make_unique<TenantStore>(std::string(name), core_, *desks_, builder_); }

  Result<void> migrate(std::span<const Migration> migrations) override {
    TRY(const Connection connection, core_.connect());
    CHECK_OK(run(connection.get(), "SET statement_timeout TO 0"));
    CHECK_OK(postgres::migrate(connection.get(), migrations, core_.now()));
    CHECK_OK(core_.learn_shared_tables(connection.get()));
    core_.every_schema_changed();
    return {};
  }

 private:
  Core core_;
  std::shared_ptr<Desks> desks_ = std::make_shared<Desks>(core_);
  Feed feed_{core_};
  Builder builder_{core_};
};

Result<void> readable(const std::string& url) {
  char* problem = nullptr;
  PQconninfoOption* options = PQconninfoParse(url.c_str(), &problem);
  if (options) {
    PQconninfoFree(options);
    return {};
  }
  // The text may quote the URL, and a URL may hold a password.
  PQfreemem(problem);
  return Error(Code::invalid_request, "The URL of the database cannot be read.");
}

}  // namespace

Result<std::unique_ptr<PostgresCluster>> open_postgres(PostgresOptions options, Log& log, Metrics& metrics) {
  CHECK_OK(readable(options.url));
  auto cluster = std::make_unique<Cluster>(std::move(options), log, metrics);
  CHECK_OK(cluster->open());
  log.info("store.opened", {{"engine", "postgres"}});
  return std::unique_ptr<PostgresCluster>(std::move(cluster));
}

}  // namespace mandate::store
