// Names become addresses without holding a loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"
#include "http/outbound/address_rules.h"

namespace mandate::http::outbound {

/// getaddrinfo on a few threads, started when first needed, behind a bounded queue (RL-17).
/// Answers come back over a descriptor per loop, so that a thread never needs a Loop that may be gone.
class Resolver {
 public:
  /// `look_up` replaces getaddrinfo in tests; it runs on a resolver thread.
  using LookUp = std::function<std::vector<Address>(const std::string& host)>;
  explicit Resolver(LookUp look_up = {});
  ~Resolver();

  /// Every address of `host`, at least one. Errors: upstream_error (unknown), timeout, overloaded.
  Task<std::vector<Address>> resolve(std::string host, Deadline deadline);

 private:
  struct Lookup;
  struct Inbox;
  void work();
  std::shared_ptr<Inbox> inbox_here();

  LookUp look_up_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Lookup>> queue_;
  std::map<Loop*, std::shared_ptr<Inbox>> inboxes_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace mandate::http::outbound
