// Our Loop over Asio, and the readiness of descriptors that peers and listeners live on. Asio itself stays in io_loop.cpp.
#pragma once

#include <memory>
#include <string_view>

#include "base/loop.h"

namespace mandate::http {

/// One thread's loop: Asio as a reactor, never for reading or writing. Handles may be destroyed after their loop, when
/// its thread is gone.
class IoLoop : public Loop {
 public:
  /// `on_bug` hears the text of an exception that a callback let escape; the loop goes on.
  static std::unique_ptr<IoLoop> make(std::size_t index, std::function<void(std::string_view)> on_bug);

  /// Runs on the calling thread until stop().
  virtual void run() = 0;
  /// Callable from any thread.
  virtual void stop() = 0;

  /// Who is told. Each wait_* call is followed by at most one call.
  class Ready {
   public:
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;

   protected:
    ~Ready() = default;
  };

  /// The readiness of one descriptor. After destruction nothing is called any more; close the descriptor afterwards.
  class Watch {
   public:
    virtual ~Watch() = default;
    virtual void wait_readable() = 0;
    virtual void wait_writable() = 0;
    /// on_readable() soon, whatever the descriptor says (bytes may wait inside a TLS session).
    virtual void readable_soon() = 0;
    /// The reader met the end of the bytes: a read gave fewer than asked for, or found nothing at all. Without this word
    /// wait_readable() of an edge-told descriptor calls back at once.
    enum class End : bool { short_read, nothing_there };
    virtual void drained(End) {}
  };
  /// Null when the descriptor cannot be watched.
  virtual std::unique_ptr<Watch> watch(int fd, Ready& ready) = 0;
  /// The same for a stream socket that is watched for long: registered once, told by edges, so that waiting costs no
  /// system call. The reader has to say drained(); wait_writable() is for after a write that found no room.
  virtual std::unique_ptr<Watch> watch_stream(int fd, Ready& ready) = 0;
};

}  // namespace mandate::http
