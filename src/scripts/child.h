// One Node process under supervision: its start, its sockets, its end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "scripts/channel.h"

namespace mandate::scripts {

struct ChildOptions {
  std::string node = "node";   ///< a path, or a name looked for in PATH
  std::string run_as;          ///< user when we are root; empty = "nobody"
  std::size_t process_mb = 1024;  ///< RLIMIT_DATA of the whole process
  std::size_t frame_bytes = 8 << 20;
  std::string settings;        ///< JSON for the child's source
};

/// All on the loop that spawned it. Killed and reaped with the object.
///
/// Its main thread is reached by one channel; each Worker has a line of its own, so that no realm's frames wait for
/// another's. A line serves one Worker and is spent with it.
class Child {
 public:
  struct Events {
    std::function<void(const Frame&)> frame;        ///< the text lives until it returns; its realm is the line's own
    std::function<void(std::string reason)> ended;  ///< once; the socket is closed. Do not destroy the child inside
  };

  /// temporarily_unavailable when there is no Node, or no such user; server_error when the process cannot be made.
  static Result<std::unique_ptr<Child>> spawn(const ChildOptions& options, Loop& loop, Events events);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Starts a Worker for the realm on a fresh line; false when none is left.
  bool open(std::uint32_t realm);
  std::size_t lines_left() const { return unused_.size(); }
  /// Queues a frame for its realm's Worker, `terminate` and `who` for the main thread. Frames of one tick leave together.
  void send(const Frame& frame);
  /// Bytes that the realm's Worker has not taken yet.
  std::size_t unsent(std::uint32_t realm) const;
  /// Ends the process at once; `ended` follows.
  void kill();
  pid_t pid() const { return pid_; }

 private:
  struct Line {
    int theirs, ours;  ///< the descriptor as the child knows it, and our end
  };
  Child(const ChildOptions& options, Loop& loop, Events events, pid_t pid, int socket, int errors, std::vector<Line> lines);
  void on_control(const Frame& frame);
  void on_line(std::uint32_t realm, const Frame& frame);
  void read_errors();
  void end(std::string reason);

  Loop& loop_;
  Events events_;
  pid_t pid_;
  int errors_;
  std::size_t frame_bytes_;
  std::vector<Line> unused_;
  std::map<std::uint32_t, std::unique_ptr<Channel>> lines_;
  std::vector<std::unique_ptr<Channel>> spent_;  ///< destroyed later, not inside their own events
  std::unique_ptr<Channel> control_;
  std::string last_words_;
  bool ended_ = false;
  std::unique_ptr<Loop::Timer> errors_readable_;
};

/// The absolute path of `program`, looked for as execvp would; empty when there is none.
std::string find_program(const std::string& program);

}  // namespace mandate::scripts
