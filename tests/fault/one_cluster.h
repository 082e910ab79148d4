// One cluster and the store of one tenant, for a test that asks it itself, on the loop it has.
#pragma once

#include "base/log.h"
#include "base/metrics.h"
#include "store/postgres/postgres.h"

namespace mandate::test {

class OneCluster {
 public:
  explicit OneCluster(store::PostgresOptions options);
  ~OneCluster() { close(); }
  OneCluster(const OneCluster&) = delete;

  /// The code it was refused with, or nothing.
  std::optional<Code> open();
  void close();
  bool is_open() const { return store_ != nullptr; }
  store::PostgresCluster& cluster() { return *cluster_; }
  store::Store& store() { return *store_; }

 private:
  store::PostgresOptions options_;
  SystemClock clock_;
  SystemRandom random_;
  Log log_{clock_, Level::error, [](std::string_view) {}};
  Metrics metrics_;
  std::unique_ptr<store::PostgresCluster> cluster_;
  std::unique_ptr<store::Store> store_;
};

/// Options with that URL and nothing else.
store::PostgresOptions at(const std::string& url);

}  // namespace mandate::test
