#include "http/server.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "http/listener.h"
#include "http/peer_group.h"

namespace mandate::http {
namespace {

constexpr std::chrono::milliseconds kDrainLook{20};
constexpr std::chrono::milliseconds kHandshakes{200};  // for handshakes under way when the listeners close

class SocketServer final : public Server {
 public:
  SocketServer(ServerOptions options, std::shared_ptr<const Router> router, std::shared_ptr<const Router> admin,
               const Clock& clock, Random& random, Log& log, Metrics& metrics)
      : options_(std::move(options)), router_(std::move(router)), admin_(admin ? std::move(admin) : router_), log_(log),
        metrics_(metrics), router_metrics_(metrics, *router_), admin_metrics_(metrics, *admin_) {
    if (!options_.certificate_file.empty()) tls_.emplace(options_.certificate_file, options_.key_file);
    std::vector<std::string> refused;
    proxies_ = wire::TrustedProxies(options_.trusted_proxies, &refused);
    for (const std::string& entry : refused) log_.error("not an address or network", {{"trusted_proxy", entry}});
    public_ = Door{router_.get(), &router_metrics_, tls_ ? &*tls_ : nullptr, &proxies_, false, true};
    owner_ = Door{admin_.get(), &admin_metrics_, nullptr, nullptr, true, true};
    mount_metrics();
    observer_metrics_.emplace(metrics, observer_router_);
    observer_ = Door{&observer_router_, &*observer_metrics_, nullptr, nullptr, false, false};
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.loops); ++i) {
      Floor& floor = *floors_.emplace_back(std::make_unique<Floor>());
      floor.loop = IoLoop::make(i, [&log](std::string_view bug) { log.error("exception on a loop", {{"detail", bug}}); });
      floor.group = std::make_unique<PeerGroup>(*floor.loop, options_.limits, clock, log, metrics, random.hex(8));
    }
  }

  ~SocketServer() override {
    for (auto& floor : floors_) floor->loop->stop();
    wait();
    for (auto& floor : floors_) floor->drain_timer.reset(), floor->listeners.clear(), floor->group.reset();
    if (!options_.admin_socket.empty() && admin_bound_) ::unlink(options_.admin_socket.c_str());
  }

  Result<void> start() override {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    if (tls_) CHECK_OK(tls_->load());
    const bool shared = floors_.size() > 1;
    if (shared && options_.port != 0) CHECK_OK(probe_tcp(options_.address, options_.port));
    port_ = options_.port;
    const std::size_t most = std::max<std::size_t>(1, options_.limits.connections / floors_.size());
    for (auto& floor : floors_) {
      TRY(const int fd, listen_tcp(options_.address, port_, shared));
      port_ = port_of(fd);
      floor->listeners.push_back(std::make_unique<Listener>(*floor->group, public_, fd, most));
    }
    Floor& first = *floors_.front();
    if (!options_.admin_socket.empty()) {
      TRY(const int fd, listen_unix(options_.admin_socket));
      admin_bound_ = true;
      first.listeners.push_back(std::make_unique<Listener>(*first.group, owner_, fd, most + 100));
    }
    if (options_.metrics_port >= 0) {
      TRY(const int fd, listen_tcp(options_.metrics_address, options_.metrics_port, false));
      metrics_port_ = port_of(fd);
      first.observer = std::make_unique<Listener>(*first.group, observer_, fd, most + 100);
    }
    for (auto& floor : floors_) floor->thread = std::thread([f = floor.get()] { f->loop->run(); });
    CHECK_OK(prepare());
    for (auto& floor : floors_) {
      floor->loop->post([f = floor.get()] {
        for (auto& listener : f->listeners) listener->start();
        if (f->observer) f->observer->start();
      });
    }
    log_.info("listening", {{"address", options_.address}, {"port", port_}, {"metrics_port", metrics_port_},
                            {"tls", tls_.has_value()}, {"loops", floors_.size()}});
    return {};
  }

  int port() const override { return port_; }
  int metrics_port() const override { return metrics_port_; }
  std::vector<Loop*> loops() override {
    std::vector<Loop*> out;
    for (auto& floor : floors_) out.push_back(floor->loop.get());
    return out;
  }

  void drain() override {
    if (draining_.exchange(true)) return;
    log_.info("draining");
    const auto end = std::chrono::steady_clock::now() + options_.drain_delay + options_.drain_limit;
    for (auto& floor : floors_) {
      floor->loop->post([this, end, f = floor.get()] {
        f->group->drain(false);
        f->drain_timer = f->loop->after(options_.drain_delay, [this, end, f] {
          if (options_.drain_delay.count() == 0) return close_listeners(*f, end);
          for (auto& listener : f->listeners) listener->hold_off();
          f->drain_timer = f->loop->after(kHandshakes, [this, end, f] { close_listeners(*f, end); });
        });
      });
    }
  }
  bool draining() const override { return draining_; }

  Result<void> reload_certificate() override {
    if (!tls_) return Error(Code::bad_request, "No certificate is configured.");
    Result<void> loaded = tls_->load();
    if (loaded.ok()) log_.info("certificate reloaded");
    else log_.error("certificate not reloaded; the old one stays", {{"detail", loaded.error().detail}});
    return loaded;
  }

  void wait() override {
    for (auto& floor : floors_)
      if (floor->thread.joinable()) floor->thread.join();
  }

 private:
  /// A loop, its thread and what lives there.
  struct Floor {
    std::unique_ptr<IoLoop> loop;
    std::unique_ptr<PeerGroup> group;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::unique_ptr<Listener> observer;
    std::unique_ptr<Loop::Timer> drain_timer;
    std::thread thread;
    bool empty = false;
  };

  Result<void> prepare() {
    if (!options_.before_accepting) return {};
    std::promise<Result<void>> done;
    floors_.front()->loop->post([this, &done] {
      spawn(options_.before_accepting(), [&done](Result<void> result) { done.set_value(std::move(result)); });
    });
    Result<void> result = done.get_future().get();
    if (!result.ok())
      for (auto& floor : floors_) floor->loop->stop();
    return result;
  }

  void close_listeners(Floor& floor, std::chrono::steady_clock::time_point end) {
    for (auto& listener : floor.listeners) listener->finish();
    floor.group->drain(true);
    wait_until_empty(floor, end);
  }

  /// Loops stay until the last of them has nothing left to do: what one began may be finished on another.
  void wait_until_empty(Floor& floor, std::chrono::steady_clock::time_point end) {
    const bool late = std::chrono::steady_clock::now() >= end;
    if (late && floor.group->busy())
      log_.warn("drain limit reached", {{"loop", floor.loop->index()}, {"peers", floor.group->busy()}});
    if ((late || floor.group->busy() == 0) && !std::exchange(floor.empty, true)) ++empty_;
    if (late || (empty_ == floors_.size() && !(options_.working && options_.working()))) {
      if (&floor == floors_.front().get() && options_.after_draining) options_.after_draining();
      return floor.loop->stop();
    }
    floor.drain_timer = floor.loop->after(kDrainLook, [this, end, f = &floor] { wait_until_empty(*f, end); });
  }

  void mount_metrics() {
    observer_router_.get("/metrics", [this](Request&) -> Task<Response> {
      Response response(200);
      response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      response.body = metrics_.prometheus_text();
      co_return response;
    });
    observer_router_.get("/live", [](Request&) -> Task<Response> { co_return Response::text(200, "alive\n"); });
    observer_router_.get("/ready", [this](Request&) -> Task<Response> {
      const bool ready = !draining_ && (!options_.ready || options_.ready());
      co_return Response::text(ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
    });
  }

  ServerOptions options_;
  std::shared_ptr<const Router> router_, admin_;
  Log& log_;
  Metrics& metrics_;
  RequestMetrics router_metrics_, admin_metrics_;
  Router observer_router_;
  std::optional<RequestMetrics> observer_metrics_;
  std::optional<Tls> tls_;
  wire::TrustedProxies proxies_;
  Door public_, owner_, observer_;
  std::vector<std::unique_ptr<Floor>> floors_;
  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> empty_{0};
  int port_ = 0, metrics_port_ = -1;
  bool admin_bound_ = false;
};

}  // namespace

std::unique_ptr<Server> make_server(ServerOptions options, std::shared_ptr<const Router> router,
                                    std::shared_ptr<const Router> admin, const Clock& clock, Random& random, Log& log,
                                    Metrics& metrics) {
  return std::make_unique<SocketServer>(std::move(options), std::move(router), std::move(admin), clock, random, log,
                                        metrics);
}

}  // namespace mandate::http
