// Node in supervised children (engine.md §3). No JavaScript engine inside mandated; no key, no database handle in a child.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "scripts/binding.h"

namespace mandate::scripts {

struct Limits {
  std::chrono::milliseconds wall{30'000};
  std::chrono::milliseconds cpu{2'000};  ///< a script that holds its thread this long is ended
  std::size_t heap_mb = 64;
  std::size_t answer_bytes = 4 << 20;
};

struct HostOptions {
  std::size_t children = 1;  ///< plus one warm spare
  std::string node = "node";
  Limits limits;
  std::string run_as;  ///< user the children run as when we are root; empty = "nobody"
};

/// One script call. `kind` chooses the shape the child gives the script: "table" (insert/read/update/del).
struct Call {
  std::string realm;    ///< tenant and service: one Worker, one set of globals per realm (SC-3)
  std::string source;   ///< the script's text
  std::string name;     ///< "table/TodoItem.insert.js", for stack traces and the log
  std::uint64_t version = 0;  ///< changes with the source
  std::string kind = "table";
  Json context;         ///< what the script sees: operation, item, query, id, user, parameters, …
  Deadline deadline = kNoDeadline;
};

/// Thread-safe. Starts no process before the first call.
class Host {
 public:
  virtual ~Host() = default;
  /// Runs the script to its end and gives back what it ended with (for "table": see tables/bindings.h).
  /// Errors: server_error (script threw, was ended at its limit, or its process died), timeout (wall limit: 503),
  /// overloaded, temporarily_unavailable (Node is not installed; the hint says so).
  virtual Task<Json> run(Call call, Binding& binding) = 0;
  /// Syntax check without running; invalid_request with line and message.
  virtual Task<void> check(std::string source, std::string name) = 0;
  /// Ends all children. Calls under way fail.
  virtual void stop() = 0;
};

std::unique_ptr<Host> make_host(HostOptions options, Log& log, Metrics& metrics);

}  // namespace mandate::scripts
