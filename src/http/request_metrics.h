// Count and time of answers, by route and class of status; looked up once per route, then only added to.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "base/metrics.h"
#include "http/router.h"

namespace mandate::http {

/// Thread-safe.
class RequestMetrics {
 public:
  RequestMetrics(Metrics& metrics, const Router& router);
  void observe(std::size_t route, int status, std::chrono::steady_clock::duration took);

 private:
  struct Route {
    std::array<std::atomic<Counter*>, 6> by_class{};
    std::atomic<Histogram*> duration{nullptr};
  };
  Metrics& metrics_;
  const Router& router_;
  std::size_t count_;
  std::unique_ptr<Route[]> routes_;  // one more than the router has: what matched nothing
};

}  // namespace mandate::http
