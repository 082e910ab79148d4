#include "http/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
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
constexpr std::chrono::milliseconds kLastLook{1000};   // before the limit, for peers that ask nothing
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
    mount_metrics();
    observer_metrics_.emplace(metrics, observer_router_);
    furnish(public_, *router_, router_metrics_);
    furnish(passed_, *router_, router_metrics_);
    furnish(passed_secure_, *router_, router_metrics_);
    public_.tls = tls_ ? &*tls_ : nullptr;
    public_.proxies = passed_.proxies = passed_secure_.proxies = &proxies_;
    passed_secure_.secure = true;
    furnish(owner_, *admin_, admin_metrics_);
    furnish(passed_owner_, *admin_, admin_metrics_);
    owner_.local_admin = passed_owner_.local_admin = true;
    passed_.once = passed_secure_.once = passed_owner_.once = true;
    furnish(observer_, observer_router_, *observer_metrics_);
    observer_.drains = false;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.loops); ++i) {
      Floor& floor = *floors_.emplace_back(std::make_unique<Floor>());
      floor.loop = IoLoop::make(i, [&log](std::string_view bug) { log.error("exception on a loop", {{"detail", bug}}); });
      floor.group = std::make_unique<PeerGroup>(*floor.loop, options_.limits, clock, log, metrics, random.hex(8));
    }
  }

  ~SocketServer() override {
    for (auto& floor : floors_) floor->loop->stop();
    wait();
    for (auto& floor : floors_) floor->drain_timer.reset(), floor->last_look.reset(), floor->listeners.clear(), floor->group.reset();
    if (admin_bound_ && !retired_ && (started_ || options_.sockets.owner < 0)) ::unlink(options_.admin_socket.c_str());
  }

  Result<void> start() override {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    if (tls_) CHECK_OK(tls_->load());
    CHECK_OK(options_.sockets.doors.empty() ? bind_doors() : adopt_doors());
    CHECK_OK(open_side_doors());
    for (auto& floor : floors_) floor->thread = std::thread([f = floor.get()] { f->loop->run(); });
    CHECK_OK(prepare());
    for (auto& floor : floors_) {
      floor->loop->post([f = floor.get()] {
        for (auto& listener : f->listeners) listener->start();
        if (f->observer) f->observer->start();
      });
    }
    started_ = true;
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

  Sockets sockets() const override {
    Sockets out;
    out.kept = options_.sockets.kept;
    for (const auto& floor : floors_)
      for (const auto& listener : floor->listeners) {
        if (&listener->door() == &public_) out.doors.push_back(listener->fd());
        else out.owner = listener->fd();
      }
    if (floors_.front()->observer) out.observer = floors_.front()->observer->fd();
    return out;
  }

  void hold() override {
    on_every_floor([](Floor& floor) {
      for (auto& listener : floor.listeners) listener->pause();
      floor.group->hold();
    });
  }

  bool quiet() const override {
    return std::all_of(floors_.begin(), floors_.end(), [](const auto& floor) { return floor->group->at_work() == 0; });
  }

  void go_on(std::shared_ptr<const Router> routes, std::shared_ptr<const Router> owner_routes) override {
    const bool rehoused = routes != nullptr;
    // The old ones stay: requests that are not yet complete were matched with them.
    if (routes) replace(std::move(routes), {&public_, &passed_, &passed_secure_});
    if (owner_routes) replace(std::move(owner_routes), {&owner_, &passed_owner_});
    on_every_floor([rehoused](Floor& floor) {
      floor.group->go_on(rehoused);
      for (auto& listener : floor.listeners) listener->start();
    });
  }

  void retire(std::function<void(Passed)> pass) override {
    if (draining_.exchange(true)) return;
    log_.info("retiring");
    retired_ = true;
    const auto end = std::chrono::steady_clock::now() + options_.drain_limit;
    on_every_floor([&](Floor& floor) {
      for (auto& listener : floor.listeners) listener->release();
      if (floor.observer) floor.observer->release();
      floor.group->drain(false);
      if (pass) floor.group->pass_on(pass);
      // Idle peers are left alone to the last: one that is closed may have sent a request at that moment.
      floor.last_look = floor.loop->after(options_.drain_limit - std::min(kLastLook, options_.drain_limit / 2),
                                          [f = &floor] { f->group->drain(true); });
      wait_until_empty(floor, end);
    });
  }

  void welcome(Passed passed) override {
    Floor& floor = *floors_[next_floor_++ % floors_.size()];
    floor.loop->post([this, f = &floor, passed = std::move(passed)] {
      const Door& door = passed.owner ? passed_owner_ : passed.secure ? passed_secure_ : passed_;
      f->group->welcome(door, passed.fd, passed.address);
    });
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
    std::unique_ptr<Loop::Timer> drain_timer, last_look;
    std::thread thread;
    bool empty = false;
  };

  static void furnish(Door& door, const Router& router, RequestMetrics& metrics) {
    door.router = &router;
    door.metrics = &metrics;
  }

  void replace(std::shared_ptr<const Router> by, std::initializer_list<Door*> doors) {
    for (Door* door : doors) door->router = by.get();
    more_routers_.push_back(std::move(by));
  }

  /// Runs it on each loop, one after the other, and waits.
  void on_every_floor(const std::function<void(Floor&)>& act) {
    for (auto& floor : floors_) {
      std::promise<void> done;
      floor->loop->post([&act, &done, f = floor.get()] {
        act(*f);
        done.set_value();
      });
      done.get_future().wait();
    }
  }

  std::size_t most() const { return std::max<std::size_t>(1, options_.limits.connections / floors_.size()); }

  Result<void> bind_doors() {
    const bool shared = floors_.size() > 1;
    if (shared && options_.port != 0) CHECK_OK(probe_tcp(options_.address, options_.port));
    port_ = options_.port;
    for (auto& floor : floors_) {
      TRY(const int fd, listen_tcp(options_.address, port_, shared));
      port_ = port_of(fd);
      floor->listeners.push_back(std::make_unique<Listener>(*floor->group, public_, fd, most()));
    }
    return {};
  }

  /// Every socket is accepted from, whatever the number of loops: peers wait in each one's queue.
  Result<void> adopt_doors() {
    const std::vector<int>& given = options_.sockets.doors;
    for (const int fd : given) CHECK_OK(adopt_listener(fd));
    port_ = port_of(given.front());
    if (options_.port != 0 && options_.port != port_)
      log_.warn("the port of the sockets handed over stays", {{"port", port_}, {"asked_for", options_.port}});
    for (std::size_t i = 0; i < std::max(given.size(), floors_.size()); ++i) {
      Floor& floor = *floors_[i % floors_.size()];
      const int fd = i < given.size() ? given[i] : ::fcntl(given[i % given.size()], F_DUPFD_CLOEXEC, 0);
      if (fd < 0) return Error(Code::server_error, {}, "no descriptor left");
      floor.listeners.push_back(std::make_unique<Listener>(*floor.group, public_, fd, most(), options_.sockets.kept));
    }
    return {};
  }

  Result<void> open_side_doors() {
    Floor& first = *floors_.front();
    const Sockets& given = options_.sockets;
    if (given.owner >= 0) {
      CHECK_OK(adopt_listener(given.owner));
      first.listeners.push_back(std::make_unique<Listener>(*first.group, owner_, given.owner, most() + 100, given.kept));
      admin_bound_ = !given.kept && !options_.admin_socket.empty();
    } else if (!options_.admin_socket.empty()) {
      TRY(const int fd, listen_unix(options_.admin_socket, SOCK_STREAM));
      admin_bound_ = true;
      first.listeners.push_back(std::make_unique<Listener>(*first.group, owner_, fd, most() + 100));
    }
    if (given.observer < 0 && options_.metrics_port < 0) return {};
    if (given.observer >= 0) CHECK_OK(adopt_listener(given.observer));
    int fd = given.observer;
    if (fd < 0) {
      TRY(fd, listen_tcp(options_.metrics_address, options_.metrics_port, false));
    }
    metrics_port_ = port_of(fd);
    first.observer = std::make_unique<Listener>(*first.group, observer_, fd, most() + 100, given.kept);
    return {};
  }

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
    // Who retires also waits until the last answers are taken: nobody is in a hurry for our port.
    const std::size_t left = retired_ ? floor.group->present() : floor.group->busy();
    if (late && floor.group->busy())
      log_.warn("drain limit reached", {{"loop", floor.loop->index()}, {"peers", floor.group->busy()}});
    if (const bool empty = late || left == 0; empty != std::exchange(floor.empty, empty)) empty ? ++empty_ : --empty_;
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
  std::vector<std::shared_ptr<const Router>> more_routers_;
  Log& log_;
  Metrics& metrics_;
  RequestMetrics router_metrics_, admin_metrics_;
  Router observer_router_;
  std::optional<RequestMetrics> observer_metrics_;
  std::optional<Tls> tls_;
  wire::TrustedProxies proxies_;
  Door public_, owner_, observer_, passed_, passed_secure_, passed_owner_;
  std::vector<std::unique_ptr<Floor>> floors_;
  std::atomic<bool> draining_{false}, retired_{false};
  std::atomic<std::size_t> next_floor_{0};
  std::atomic<std::size_t> empty_{0};
  int port_ = 0, metrics_port_ = -1;
  bool admin_bound_ = false;  ///< its path goes with us; one that we were given only if we came to serve it
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Server> make_server(ServerOptions options, std::shared_ptr<const Router> router,
                                    std::shared_ptr<const Router> admin, const Clock& clock, Random& random, Log& log,
                                    Metrics& metrics) {
  return std::make_unique<SocketServer>(std::move(options), std::move(router), std::move(admin), clock, random, log,
                                        metrics);
}

}  // namespace mandate::http
