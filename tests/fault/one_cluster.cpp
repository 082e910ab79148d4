#include "tests/fault/one_cluster.h"

namespace mandate::test {

OneCluster::OneCluster(store::PostgresOptions options) : options_(std::move(options)) {
  options_.clock = &clock_;
  options_.random = &random_;
}

std::optional<Code> OneCluster::open() {
  auto opened = store::open_postgres(options_, log_, metrics_);
  if (!opened.ok()) return opened.error().code;
  cluster_ = *std::move(opened);
  store_ = cluster_->tenant("demo");
  return std::nullopt;
}

void OneCluster::close() {
  store_.reset();
  cluster_.reset();
}

store::PostgresOptions at(const std::string& url) {
  store::PostgresOptions options;
  options.url = url;
  return options;
}

}  // namespace mandate::test
