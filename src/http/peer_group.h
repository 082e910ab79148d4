// The peers of one loop and what they share: one read buffer, pools, timeouts, the date.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/deadlines.h"
#include "http/io_loop.h"
#include "http/request_metrics.h"
#include "http/router.h"
#include "http/server.h"
#include "http/tls.h"
#include "http/wire/head.h"

namespace mandate::http {

class Peer;
class PeerGroup;

/// Which way in: what is served there and who may have come through a proxy.
struct Door {
  const Router* router = nullptr;
  RequestMetrics* metrics = nullptr;
  const Tls* tls = nullptr;  ///< null: plain only
  const wire::TrustedProxies* proxies = nullptr;
  bool local_admin = false;
  bool drains = true;  ///< the drain waits for its peers
};

/// One request on its way to an answer. It outlives its peer when the other end hangs up first.
struct Exchange {
  PeerGroup* group = nullptr;
  Peer* peer = nullptr;  ///< null: nobody waits any more
  const Door* door = nullptr;
  Request request;
  wire::Framing framing;
  Router::Match match;
  std::string_view head_bytes;
  bool owns_head = false;
  bool head_only = false;
  std::chrono::steady_clock::time_point started, body_started;
  std::string head, body;            ///< copies, when the request came in pieces
  std::unique_ptr<char[]> buffer;    ///< the read buffer the views point into, when the handler took its time
  std::string bytes;                 ///< the same for a request that had been kept
};

class PeerGroup {
 public:
  static constexpr std::size_t kBuffer = 32 << 10;

  PeerGroup(IoLoop& loop, const Limits& limits, const Clock& clock, Log& log, Metrics& metrics, std::string id_prefix);
  ~PeerGroup();

  /// Takes over an accepted descriptor.
  void welcome(const Door& door, int fd, std::string address);
  std::size_t size() const { return count_; }
  /// Peers that the drain waits for.
  std::size_t busy() const;
  /// From now on every answer says Connection: close; `close_idle` ends those between requests, after a last look.
  void drain(bool close_idle);
  bool draining() const { return draining_; }

  char* read_buffer();
  std::unique_ptr<char[]> take_read_buffer() { return std::move(buffer_); }
  Exchange* acquire(Peer* peer, const Door& door);
  void release(Exchange* exchange);
  std::string spare_string();
  void give_back(std::string&& text);
  std::string_view date();
  void write_id(std::string& out);
  void bury(std::unique_ptr<Peer> peer);
  /// Its answers are sent when this tick ends.
  void settle_later(Peer& peer);
  void forget(Peer& peer);

  IoLoop& loop;
  const Limits& limits;
  wire::HeadLimits head_limits;
  Log& log;
  Deadlines deadlines;
  Counter& refused;

 private:
  friend class Peer;
  void settle_all();

  const Clock& clock_;
  Gauge& connections_;
  std::string id_prefix_;
  std::uint64_t next_id_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::vector<std::unique_ptr<char[]>> spare_buffers_;
  std::vector<std::unique_ptr<Exchange>> spare_exchanges_;
  std::vector<std::string> spare_strings_;
  std::vector<std::unique_ptr<Peer>> graveyard_;
  std::deque<Peer*> unsettled_;  ///< null: closed meanwhile
  bool settles_ = false;         ///< settle_all() is on its way
  Peer* first_ = nullptr;
  std::size_t count_ = 0;
  bool draining_ = false;
  std::string date_;
  std::int64_t date_second_ = -1;
};

}  // namespace mandate::http
