#include "server/handover.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/handover_words.h"

namespace mandate::server {
namespace {
constexpr std::chrono::seconds kHello{10};
constexpr std::chrono::milliseconds kForever{-1};
}  // namespace

Handover::Handover(Parts parts, int listening) : parts_(std::move(parts)), listening_(listening) {
  if (::pipe2(wake_, O_CLOEXEC) != 0) parts_.log.error("no pipe for hand-overs");
  thread_ = std::thread([this] { run(); });
}

Handover::~Handover() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  told_.notify_one();
  stop();
  if (thread_.joinable()) thread_.join();
  for (const http::Passed& passed : passed_) ::close(passed.fd);
  for (const int fd : {listening_, wake_[0], wake_[1]})
    if (fd >= 0) ::close(fd);
}

void Handover::stop() {
  if (left_) return;  // the thread has work until the server's end
  (void)!::write(wake_[1], "x", 1);
  std::unique_lock lock(mutex_);
  told_.wait(lock, [this] { return over_ || left_; });
}

void Handover::run() {
  while (!left_) {
    pollfd watched[] = {{listening_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) break;
    if (watched[1].revents) break;
    if (!watched[0].revents) continue;
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) serve(Channel(fd));
  }
  const std::lock_guard lock(mutex_);
  over_ = true;
  told_.notify_all();
}

void Handover::serve(Channel channel) {
  Log& log = parts_.log;
  if (!channel.same_user()) return log.warn("handover.refused", {{"reason", "another user"}});
  const auto hello = channel.receive(kHello, wake_[0]);
  if (!hello.ok()) return;
  for (const int fd : hello->descriptors) ::close(fd);
  const std::optional<bool> wants = hello_of(hello->text);
  if (!wants) return log.warn("handover.refused", {{"reason", "it speaks otherwise"}});
  const bool alone = parts_.alone || *wants;
  const http::Sockets sockets = parts_.server.sockets();
  Offer offer{alone, sockets.kept, sockets.doors.size(), {}};
  std::vector<int> descriptors = sockets.doors;
  for (const auto& [name, fd] : {std::pair{"handover", listening_}, {"owner", sockets.owner}, {"observer", sockets.observer}})
    if (fd >= 0) offer.names.emplace_back(name), descriptors.push_back(fd);
  if (!channel.send(offer_text(offer), descriptors).ok()) return;
  log.info("handover.begun", {{"alone", alone}});
  if (alone) {
    if (!let_go(channel)) return;
  } else if (const auto done = channel.receive(kForever, wake_[0]); !done.ok() || done->text != "done") {
    return log.warn("handover.ended", {{"reason", "the new process is gone; this one goes on"}});
  }
  log.info("handover.done");
  parts_.leaving();
  std::function<void(http::Passed)> pass;
  if (alone) {
    pass = [this](http::Passed passed) {
      const std::lock_guard lock(mutex_);
      passed_.push_back(std::move(passed));
      told_.notify_all();
    };
  }
  parts_.server.retire(std::move(pass));
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
  }
  told_.notify_all();
  parts_.left();
  pass_on(channel);
}

bool Handover::let_go(Channel& channel) {
  Log& log = parts_.log;
  const auto asked = channel.receive(kForever, wake_[0]);
  if (!asked.ok() || asked->text != "let-go") {
    log.warn("handover.ended", {{"reason", "the new process is gone; this one goes on"}});
    return false;
  }
  const auto began = std::chrono::steady_clock::now();
  parts_.server.hold();
  if (!parts_.close_stores()) {
    parts_.server.go_on();
    log.warn("handover.ended", {{"reason", "requests in flight did not end in time; this process goes on"}});
    (void)channel.send("busy");
    return false;
  }
  (void)channel.send("yours");
  // It may migrate for as long as it takes. When it ends instead, we hear it.
  const auto done = channel.receive(kForever);
  const auto held = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  log.info("handover.held", {{"ms", held.count()}});
  if (done.ok() && done->text == "done") return true;
  log.warn("handover.ended", {{"reason", "the new process is gone; this one opens its stores again"}});
  if (const Result<void> opened = parts_.open_stores(); !opened.ok()) {
    log.error("handover.stores_not_opened", {{"hint", opened.error().hint}, {"detail", opened.error().detail}});
    parts_.broken(opened.error());
  }
  return false;
}

void Handover::pass_on(Channel& channel) {
  for (std::unique_lock lock(mutex_);;) {
    told_.wait(lock, [this] { return over_ || !passed_.empty(); });
    if (passed_.empty()) return;
    const http::Passed passed = std::move(passed_.front());
    passed_.pop_front();
    lock.unlock();
    const Result<void> sent = channel.send(passed_text({passed.secure, passed.owner, passed.address}), {&passed.fd, 1});
    ::close(passed.fd);  // not sent: our end of it hears that it is closed
    if (!sent.ok()) parts_.log.error("handover.request_not_passed", {{"detail", sent.error().detail}});
    lock.lock();
  }
}

}  // namespace mandate::server
