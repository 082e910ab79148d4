// One Node process under supervision: its start, its socket, its end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "scripts/frames.h"

namespace mandate::scripts {

struct ChildOptions {
  std::string node = "node";   ///< a path, or a name looked for in PATH
  std::string run_as;          ///< user when we are root; empty = "nobody"
  std::size_t process_mb = 1024;  ///< RLIMIT_DATA of the whole process
  std::size_t frame_bytes = 8 << 20;
  std::string settings;        ///< JSON for the child's source
};

/// All on the loop that spawned it. Killed and reaped with the object.
class Child {
 public:
  struct Events {
    std::function<void(const Frame&)> frame;        ///< the text lives until it returns
    std::function<void(std::string reason)> ended;  ///< once; the socket is closed. Do not destroy the child inside
  };

  /// temporarily_unavailable when there is no Node, or no such user; server_error when the process cannot be made.
  static Result<std::unique_ptr<Child>> spawn(const ChildOptions& options, Loop& loop, Events events);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Queues a frame; the frames of one tick leave in one write.
  void send(const Frame& frame);
  std::size_t unsent() const { return out_.size() - out_at_; }
  /// Ends the process at once; `ended` follows.
  void kill();
  pid_t pid() const { return pid_; }

 private:
  Child(const ChildOptions& options, Loop& loop, Events events, pid_t pid, int socket, int errors);
  void read();
  void read_errors();
  void flush();
  void end(std::string reason);

  Loop& loop_;
  Events events_;
  pid_t pid_;
  int socket_, errors_;
  FrameReader reader_;
  std::string out_, last_words_;
  std::size_t out_at_ = 0;
  bool flushing_ = false, ended_ = false;
  std::unique_ptr<Loop::Timer> readable_, writable_, errors_readable_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// The absolute path of `program`, looked for as execvp would; empty when there is none.
std::string find_program(const std::string& program);

}  // namespace mandate::scripts
