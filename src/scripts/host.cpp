#include "scripts/host.h"

#include "scripts/pool.h"

namespace mandate::scripts {
namespace {

constexpr std::string_view kKinds[] = {"table", "job", "api", "push", "hooks", "describe"};
bool known_kind(std::string_view kind) { return std::ranges::find(kKinds, kind) != std::end(kKinds); }

class NodeHost final : public Host {
 public:
  NodeHost(HostOptions options, Log& log, Metrics& metrics) : options_(std::move(options)), log_(log), metrics_(metrics) {}
  ~NodeHost() override { stop(); }

  Task<Json> run(Call call, std::shared_ptr<Binding> binding) override {
    auto running = std::make_shared<Running>(Running::Kind::table, std::move(call), std::move(binding));
    if (!known_kind(running->call.kind)) co_return Error(Code::bad_request, "There is no script of the kind '" + running->call.kind + "'.");
    start(running);
    Result<Json> result = co_await running->done;
    co_return result;
  }

  Task<void> check(std::string source, std::string name) override {
    Call call;
    call.realm = "\x01" "check";  // apart from every tenant's
    call.source = std::move(source);
    call.name = std::move(name);
    auto running = std::make_shared<Running>(Running::Kind::check, std::move(call), nullptr);
    start(running);
    Result<Json> result = co_await running->done;
    if (!result.ok()) co_return std::move(result).error();
    co_return ok();
  }

  void home(Loop& loop) override {
    const std::lock_guard lock(mutex_);
    if (!pool_) home_ = &loop;
  }

  std::size_t under_way() const override { return under_way_->load(std::memory_order_relaxed); }

  void stop() override {
    std::shared_ptr<Pool> pool;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      pool = std::exchange(pool_, nullptr);
    }
    if (pool) pool->stop();
  }

 private:
  // Without another word, the loop of the first call becomes the home of the children.
  void start(std::shared_ptr<Running> running) {
    std::shared_ptr<Pool> pool;
    Loop* home = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (!pool_ && !stopped_) {
        if (!home_) home_ = Loop::current();
        pool_ = std::make_shared<Pool>(options_, *home_, log_, metrics_, under_way_);
      }
      pool = pool_;
      home = home_;
    }
    if (!pool) return running->done.set(Error(Code::temporarily_unavailable, "The server is shutting down."));
    if (Loop::current() == home) return pool->start(running);
    home->post([pool, running] { pool->start(running); });
  }

  HostOptions options_;
  Log& log_;
  PoolMetrics metrics_;
  std::mutex mutex_;
  std::shared_ptr<Pool> pool_;
  Loop* home_ = nullptr;
  const std::shared_ptr<std::atomic<std::size_t>> under_way_ = std::make_shared<std::atomic<std::size_t>>(0);
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Host> make_host(HostOptions options, Log& log, Metrics& metrics) {
  return std::make_unique<NodeHost>(std::move(options), log, metrics);
}

}  // namespace mandate::scripts
