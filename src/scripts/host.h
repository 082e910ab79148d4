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
#include "scripts/bundle.h"

namespace mandate::scripts {

struct Limits {
  std::chrono::milliseconds wall{30'000};
  std::chrono::milliseconds cpu{2'000};  ///< a script that holds its thread this long is ended
  std::size_t heap_mb = 64;
  std::size_t answer_bytes = 4 << 20;
  std::size_t process_mb = 1024;  ///< of one child with all its realms, Buffers included
};

struct HostOptions {
  std::size_t children = 1;  ///< plus one warm spare
  std::string node = "node";
  Limits limits;
  std::string run_as;  ///< user the children run as when we are root; empty = "nobody"
};

/// One script call. `kind` chooses the shape the child gives the script:
///   "table"   insert, read, update or del of a table; context and answer: table_protocol.h
///   "job"     a function without arguments, named by the context {"function":"J"}. The answer is {} when nothing that it
///             started is left running, or the error of whatever it threw, at any time
///   "api", "push", "hooks", "describe"   a file of the bundle that the context names, among the service's own modules, which
///             are kept from call to call; see service_protocol.h. `source` is empty. One name is one kind within a realm
struct Call {
  std::string realm;    ///< tenant and service: one Worker, one set of globals per realm (SC-3)
  std::string source;   ///< the script's text
  std::string name;     ///< "/table/TodoItem.insert.js", for stack traces and the log
  std::uint64_t version = 0;  ///< changes with the source
  std::string kind = "table";
  std::string context;  ///< JSON, what the script sees; for "table" see table_protocol.h
  BundlePtr bundle;     ///< what `require` finds beside the built-in modules
  /// {"env":{…},"config":{…}}: what process.env and require('mobileservice-config') give; null: nothing. Sent when it changes.
  std::shared_ptr<const std::string> environment;
  Deadline deadline = kNoDeadline;
  std::chrono::milliseconds wall{0};  ///< longest time in all; 0 = the host's limit
};

/// Thread-safe, but for stop(). Starts no process before the first call.
class Host {
 public:
  virtual ~Host() = default;
  /// Runs the script until its answer is known and gives that back (for "table": see table_protocol.h). The script may
  /// go on after its answer, until the wall limit; `binding` is kept as long.
  ///
  /// A call whose Worker or process dies through no fault of its own is run again, if it has had no effect yet.
  /// Errors: server_error (script threw, was ended at its limit, or its process died; the detail is the user's stack),
  /// timeout (wall limit: 503), overloaded, temporarily_unavailable (Node is not installed; the hint says so).
  virtual Task<Json> run(Call call, std::shared_ptr<Binding> binding) = 0;
  /// Syntax check without running; invalid_request with line and message in the hint.
  virtual Task<void> check(std::string source, std::string name) = 0;
  /// Names the loop that the children shall belong to, before the first call; else it is the loop of the first call.
  virtual void home(Loop& /*loop*/) {}
  /// Calls that have not ended, those included that go on after their answer: what a graceful shutdown waits for.
  virtual std::size_t under_way() const { return 0; }
  /// Ends all children. Calls under way fail. Call it on the children's loop, or when no loop runs any more, and before
  /// that loop is destroyed.
  virtual void stop() = 0;
};

std::unique_ptr<Host> make_host(HostOptions options, Log& log, Metrics& metrics);

}  // namespace mandate::scripts
