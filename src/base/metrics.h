// Counters, gauges and histograms, read out as Prometheus text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mandate {

/// A number that only grows. Thread-safe, lock-free.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double by = 1) = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double by) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  /// Seconds, unless the name says otherwise.
  virtual void observe(double value) = 0;
};

/// The registry. Get metrics once, at construction, and keep the reference: it lives as long as the registry.
/// Names follow Prometheus: mandate_<room>_<what>_<unit>_total. Labels are few and bounded: never a user, token or path.
class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  Metrics();
  ~Metrics();
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {},
                       std::vector<double> buckets = {0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30});
  /// text/plain; version=0.0.4
  std::string prometheus_text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mandate
