// A non-blocking socket, plain or with TLS on top.
#pragma once

#include <cstddef>
#include <memory>

struct ssl_st;
struct ssl_ctx_st;

namespace mandate::http {

class Transport {
 public:
  /// What must happen before the next try.
  enum class Need { nothing, readable, writable, closed };
  struct Moved {
    std::size_t bytes = 0;
    Need need = Need::nothing;
    bool last = false;  ///< of a read: the descriptor held no more than this
  };

  explicit Transport(int fd) : fd_(fd) {}
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int fd() const { return fd_; }
  bool tls() const { return ssl_ != nullptr; }
  /// The first byte without taking it: -1 when there is none yet, -2 when the other end is gone.
  int peek() const;
  /// From here on TLS, our end the server.
  bool start_tls(ssl_ctx_st* context);
  Need handshake();
  /// Bytes wait inside the TLS session, so the descriptor need not become readable.
  bool has_pending() const;

  Moved read(char* to, std::size_t size);
  Moved write(const char* from, std::size_t size);
  /// Raw bytes, thrown away. Closed when the other end has finished.
  Moved discard(char* scratch, std::size_t size);
  /// Says that nothing more will come from us.
  void finish();
  void close();
  /// Close without waiting for the other end to take what is queued.
  void abort();

 private:
  Need need(int result);
  int fd_;
  ssl_st* ssl_ = nullptr;
};

}  // namespace mandate::http
