// One accepted socket, from its first byte to its last.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/deadlines.h"
#include "http/io_loop.h"
#include "http/peer_group.h"
#include "http/transport.h"
#include "http/wire/chunked.h"
#include "http/wire/head.h"

namespace mandate::http {

/// HTTP/1.1: keep-alive, pipelining with answers in order, Expect: 100-continue, chunked bodies. Bytes stay in the loop's
/// read buffer and are copied only when a request is incomplete. While a handler is at work nothing is read.
///
///   sniffing ─▶ handshaking ─▶ serving ─▶ lingering ─▶ closed
class Peer final : public IoLoop::Ready, public Deadlines::Entry {
 public:
  Peer(PeerGroup& group, const Door& door, int fd, std::string address);
  ~Peer();
  /// False when the descriptor cannot be watched.
  bool start();
  /// Ends a peer that is between two requests; a request that has just come in is still answered.
  void close_if_idle();
  bool lingering() const { return phase_ == Phase::lingering; }
  const Door& door() const { return door_; }
  bool secure() const { return transport_.tls() || door_.secure; }
  std::string_view address() const { return address_; }

  void on_readable() override;
  void on_writable() override;
  void on_deadline(Deadlines::Kind kind) override;

  /// The answer is here. Called once for each exchange, by whoever finished the handler, on the peer's loop.
  static void finished(Exchange* exchange, const Response& response);
  /// The same, when another process has answered: bytes as they go out. None: it died over it, and nobody knows more.
  static void finished_elsewhere(Exchange* exchange, std::string_view bytes);
  /// A complete request: its handler sets to work, unless requests wait or go elsewhere now.
  static void begin(Exchange* exchange);

 private:
  friend class PeerGroup;
  enum class Phase : std::uint8_t { sniffing, handshaking, serving, lingering };

  void sniff();
  void shake_hands();
  void read_some();
  /// The last look found nothing.
  void await_bytes();
  void linger_on();

  void advance(std::string_view data, bool from_buffer);
  std::size_t take(std::string_view data, bool from_buffer);
  bool take_head(std::string_view data, std::size_t& at);
  bool take_body(std::string_view data, std::size_t& at);
  void own_head();
  void dispatch(bool from_buffer);
  void answer(const Response& response);
  void refuse(int status);
  /// For the body of a request whose route is known. True when the handler is to be asked for the answer.
  bool refuse_body(int status);

  /// What follows when nothing more can be taken now. Answers wait for the end of the tick, so that those of one tick
  /// leave one behind the other.
  void settle();
  void settle_now();
  bool flush();
  void close();

  PeerGroup& group_;
  const Door& door_;
  Transport transport_;
  std::unique_ptr<IoLoop::Watch> watch_;
  Peer *previous_ = nullptr, *next_ = nullptr;
  Phase phase_ = Phase::sniffing;
  bool closed_ = false, ending_ = false, answering_ = false, taking_ = false, served_ = false, moved_ = false,
       full_ = false, settles_later_ = false;
  std::size_t written_ = 0, discarded_ = 0;
  Exchange* exchange_ = nullptr;
  wire::HeadScanner scanner_;
  wire::ChunkedReader chunks_;
  std::string address_, in_, out_;
};

}  // namespace mandate::http
