// The house of this process, which can be closed and opened again under a server that stays: an upgrade on SQLite.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "http/server.h"
#include "server/house.h"

namespace mandate::server {

class Keeper {
 public:
  explicit Keeper(std::function<std::unique_ptr<House>()> build) : build_(std::move(build)), house_(build_()) {}

  /// The first house, for its routes. Until close().
  House& house() { return *house_; }
  /// On the server's first loop.
  Task<void> open();
  /// As the house says; without one nobody is ready and nothing is under way. From any thread.
  bool ready() const;
  bool working() const;
  /// On the way out: as House::leave(). Not while close() or open_again() are at work.
  void leave();
  void stop();

  /// While the server holds: waits until no handler and nothing of the house is at work, for `longest`, then ends the house
  /// with all its stores. False, and nothing has changed, when it took longer or the data is moving. Blocks; not on a loop.
  bool close(http::Server& server, std::chrono::milliseconds longest);
  /// After close(): another house, open, and the server goes on with it. Blocks; not on a loop.
  Result<void> open_again(http::Server& server);

 private:
  std::function<std::unique_ptr<House>()> build_;
  mutable std::mutex mutex_;  ///< house_, which comes and goes on the first loop
  std::unique_ptr<House> house_;
};

}  // namespace mandate::server
