#include "http/outbound/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace mandate::http::outbound {
namespace {

constexpr std::size_t kThreads = 4, kWaiting = 64;

std::vector<Address> ask_system(const std::string& host) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  std::vector<Address> out;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return out;
  for (const addrinfo* each = list; each; each = each->ai_next) {
    Address address;
    if (each->ai_family == AF_INET) {
      address.bytes[10] = address.bytes[11] = 0xFF;
      std::memcpy(&address.bytes[12], &reinterpret_cast<const sockaddr_in*>(each->ai_addr)->sin_addr, 4);
    } else if (each->ai_family == AF_INET6) {
      address.v6 = true;
      std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(each->ai_addr)->sin6_addr, 16);
    } else {
      continue;
    }
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
  }
  ::freeaddrinfo(list);
  return out;
}

}  // namespace

/// One question. The loop's side owns `signal` and `timer`; a thread writes only `found`, before it is in the inbox.
struct Resolver::Lookup {
  std::string host;
  std::shared_ptr<Inbox> inbox;
  std::vector<Address> found;
  Signal<bool> signal;
  std::unique_ptr<Loop::Timer> timer;
  bool over = false;

  void end(Result<bool> how) {
    if (!std::exchange(over, true)) signal.set_here(std::move(how));
  }
};

/// Where finished look-ups of one loop arrive.
struct Resolver::Inbox {
  Inbox() : event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Inbox() {
    watch.reset();
    ::close(event);
  }
  void open() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto n = ::read(event, &count, sizeof count);
    std::deque<std::shared_ptr<Lookup>> arrived;
    {
      const std::lock_guard lock(mutex);
      arrived.swap(done);
    }
    for (const auto& lookup : arrived) lookup->end(true);
  }
  void drop(std::shared_ptr<Lookup> lookup) {
    {
      const std::lock_guard lock(mutex);
      done.push_back(std::move(lookup));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(event, &one, sizeof one);
  }
  int event;
  std::unique_ptr<Loop::Timer> watch;
  std::mutex mutex;
  std::deque<std::shared_ptr<Lookup>> done;
};

Resolver::Resolver(LookUp look_up) : look_up_(look_up ? std::move(look_up) : ask_system) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  // A look-up and its inbox hold each other while one waits in the other.
  for (auto& [loop, inbox] : inboxes_) inbox->done.clear();
}

std::shared_ptr<Resolver::Inbox> Resolver::inbox_here() {
  const std::lock_guard lock(mutex_);
  auto& inbox = inboxes_[Loop::current()];
  if (!inbox) {
    inbox = std::make_shared<Inbox>();
    inbox->watch = Loop::current()->when_readable(inbox->event, [raw = inbox.get()] { raw->open(); });
  }
  return inbox;
}

Task<std::vector<Address>> Resolver::resolve(std::string host, Deadline deadline) {
  auto lookup = std::make_shared<Lookup>();
  lookup->host = std::move(host);
  lookup->inbox = inbox_here();
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kWaiting) co_return Error(Code::overloaded, "Too many names wait to be resolved.");
    queue_.push_back(lookup);
    if (idle_ == 0 && threads_.size() < kThreads) threads_.emplace_back([this] { work(); });
  }
  wake_.notify_one();
  if (deadline != kNoDeadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    lookup->timer = Loop::current()->after(std::max(left, std::chrono::milliseconds(0)), [raw = lookup.get()] {
      raw->end(Error(Code::timeout, "The name could not be resolved in time."));
    });
  }
  const Result<bool> ended = co_await lookup->signal;
  lookup->timer.reset();
  CO_CHECK(ended);
  if (lookup->found.empty()) co_return Error(Code::upstream_error, "The name does not resolve.", lookup->host);
  co_return std::move(lookup->found);
}

void Resolver::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      ++idle_;
      wake_.wait(lock);
      --idle_;
      continue;
    }
    const std::shared_ptr<Lookup> lookup = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    lookup->found = look_up_(lookup->host);
    lookup->inbox->drop(lookup);
    lock.lock();
  }
}

}  // namespace mandate::http::outbound
