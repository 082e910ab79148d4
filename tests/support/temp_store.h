// A store in a directory of its own, with a clock that stands still, gone at the end of the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "store/sqlite/sqlite.h"

namespace mandate::test {

/// An empty private directory, removed at the end.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "mandate-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// TempStore t(rooms' migrations…); the store's own run first. Make it after the loop, so that it goes first.
class TempStore {
 public:
  explicit TempStore(std::vector<std::span<const store::Migration>> rooms = {}, store::SqliteOptions options = {})
      : rooms_(std::move(rooms)), options_(std::move(options)) {
    rooms_.insert(rooms_.begin(), store::kMigrations);
    if (options_.path.empty()) options_.path = dir_.path() + "/mandate.db";
    options_.clock = &clock_;
    reopen();
  }

  store::Store& store() { return *store_; }
  store::SqliteStore& engine() { return *store_; }
  ManualClock& clock() { return clock_; }
  const std::string& path() const { return options_.path; }
  Metrics& metrics() { return metrics_; }
  Log& log() { return log_; }

  void close() { store_.reset(); }
  /// As a restart of the server; migrations run again.
  void reopen() {
    close();
    auto opened = store::open_sqlite(options_, log_, metrics_);
    if (!opened.ok()) throw std::runtime_error(opened.error().hint + " " + opened.error().detail);
    store_ = *std::move(opened);
    for (auto migrations : rooms_)
      if (auto done = store_->migrate(migrations); !done.ok()) throw std::runtime_error(done.error().hint + " " + done.error().detail);
  }

 private:
  TempDir dir_;
  ManualClock clock_;
  Log log_{clock_, Level::error, [](std::string_view) {}};
  Metrics metrics_;
  std::vector<std::span<const store::Migration>> rooms_;
  store::SqliteOptions options_;
  std::unique_ptr<store::SqliteStore> store_;
};

}  // namespace mandate::test
