#include "http/request_metrics.h"

namespace mandate::http {

RequestMetrics::RequestMetrics(Metrics& metrics, const Router& router)
    : metrics_(metrics), router_(router), count_(router.routes().size()),
      routes_(std::make_unique<Route[]>(count_ + 1)) {}

void RequestMetrics::observe(std::size_t route, int status, std::chrono::steady_clock::duration took) {
  const std::size_t at = std::min(route, count_);
  const auto cls = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
  Route& here = routes_[at];
  const auto label = [&] { return at < count_ ? router_.routes()[at] : std::string("unmatched"); };
  Counter* counter = here.by_class[cls].load(std::memory_order_acquire);
  if (!counter) {
    counter = &metrics_.counter("mandate_http_requests_total", "Answered requests.",
                                {{"route", label()}, {"status", std::to_string(cls) + "xx"}});
    here.by_class[cls].store(counter, std::memory_order_release);
  }
  counter->add();
  Histogram* duration = here.duration.load(std::memory_order_acquire);
  if (!duration) {
    duration = &metrics_.histogram("mandate_http_request_seconds", "From the last byte of the head to the answer.",
                                   {{"route", label()}});
    here.duration.store(duration, std::memory_order_release);
  }
  duration->observe(std::chrono::duration<double>(took).count());
}

}  // namespace mandate::http
