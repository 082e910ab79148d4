#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

namespace mandate {
namespace {

struct CounterOf final : Counter {
  prometheus::Counter& it;
  explicit CounterOf(prometheus::Counter& c) : it(c) {}
  void add(double by) override { it.Increment(by); }
};
struct GaugeOf final : Gauge {
  prometheus::Gauge& it;
  explicit GaugeOf(prometheus::Gauge& g) : it(g) {}
  void set(double value) override { it.Set(value); }
  void add(double by) override { it.Increment(by); }
};
struct HistogramOf final : Histogram {
  prometheus::Histogram& it;
  explicit HistogramOf(prometheus::Histogram& h) : it(h) {}
  void observe(double value) override { it.Observe(value); }
};

std::map<std::string, std::string> labels_of(const Metrics::Labels& labels) { return {labels.begin(), labels.end()}; }

}  // namespace

struct Metrics::Impl {
  std::mutex mutex;
  prometheus::Registry registry;
  std::vector<std::unique_ptr<Counter>> counters;
  std::vector<std::unique_ptr<Gauge>> gauges;
  std::vector<std::unique_ptr<Histogram>> histograms;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  auto& family = prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
  return *impl_->counters.emplace_back(std::make_unique<CounterOf>(family.Add(labels_of(labels))));
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  auto& family = prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
  return *impl_->gauges.emplace_back(std::make_unique<GaugeOf>(family.Add(labels_of(labels))));
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const Labels& labels, std::vector<double> buckets) {
  const std::lock_guard lock(impl_->mutex);
  auto& family = prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
  return *impl_->histograms.emplace_back(std::make_unique<HistogramOf>(family.Add(labels_of(labels), std::move(buckets))));
}

std::string Metrics::prometheus_text() const { return prometheus::TextSerializer().Serialize(impl_->registry.Collect()); }

}  // namespace mandate
