// The peers of one loop and what they share: one read buffer, pools, timeouts, the date.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
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
class Relay;

/// Which way in: what is served there and who may have come through a proxy.
struct Door {
  std::atomic<const Router*> router = nullptr;
  RequestMetrics* metrics = nullptr;
  const Tls* tls = nullptr;  ///< null: plain only
  const wire::TrustedProxies* proxies = nullptr;
  bool local_admin = false;
  bool drains = true;  ///< the drain waits for its peers
  bool secure = false; ///< TLS ended before: in the process that passes a request on
  bool once = false;   ///< one request, one answer
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
  /// Peers behind doors that drain, those included that only wait for the other end to hang up.
  std::size_t present() const;

  // An upgrade (RL-11); all but at_work() on the loop.
  /// Requests do not begin but wait.
  void hold() { serving_ = Serving::not_now; }
  /// Those that waited begin. `rehoused`: what a request was matched with before does not hold any more.
  void go_on(bool rehoused);
  /// From now on requests, those that wait first, are answered by another process, which is handed them by `pass`.
  void pass_on(std::function<void(Passed)> pass);
  /// Handlers at work. From any thread.
  std::size_t at_work() const { return at_work_; }
  bool serves_here() const { return serving_ == Serving::here; }
  /// Called for each request that is complete: true when it does not begin here and now.
  bool keeps(Exchange* exchange);
  void begun() { ++at_work_; }
  void ended() { --at_work_; }

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
  friend class Relay;
  enum class Serving : std::uint8_t { here, not_now, elsewhere };
  void settle_all();
  void relay(Exchange* exchange);
  void bury(Relay& relay);

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
  Serving serving_ = Serving::here;
  bool rehoused_ = false;
  std::atomic<std::size_t> at_work_{0};
  std::vector<Exchange*> held_;
  std::function<void(Passed)> pass_;
  std::vector<std::unique_ptr<Relay>> relays_;
  std::string date_;
  std::int64_t date_second_ = -1;
};

}  // namespace mandate::http
