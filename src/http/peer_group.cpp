#include "http/peer_group.h"

#include <algorithm>

#include "http/peer.h"
#include "http/relay.h"
#include "http/wire/write_response.h"

namespace mandate::http {
namespace {
constexpr std::size_t kSpare = 128, kSpareText = 64 << 10;

std::array<std::chrono::milliseconds, Deadlines::kKinds> lengths(const Limits& limits) {
  using std::chrono::milliseconds;
  std::array<milliseconds, Deadlines::kKinds> out{};
  out[Deadlines::header] = limits.header_timeout;
  out[Deadlines::tls] = limits.tls_timeout;
  out[Deadlines::idle] = limits.idle_timeout;
  out[Deadlines::body] = std::min(milliseconds(1000), limits.body_grace);
  // Handlers end their own waits by the request's deadline; this is for one that does not.
  out[Deadlines::request] = limits.request_timeout + limits.request_timeout / 4;
  out[Deadlines::write] = limits.write_stall;
  out[Deadlines::linger] = milliseconds(2000);
  return out;
}
}  // namespace

PeerGroup::PeerGroup(IoLoop& l, const Limits& lim, const Clock& clock, Log& lg, Metrics& metrics, std::string id_prefix)
    : loop(l), limits(lim), head_limits{lim.request_line, lim.header_bytes, lim.header_fields}, log(lg),
      deadlines(l, lengths(lim)),
      refused(metrics.counter("mandate_http_refused_total", "Requests refused before routing.")), clock_(clock),
      connections_(metrics.gauge("mandate_http_connections", "Open connections.")), id_prefix_(std::move(id_prefix)) {}

PeerGroup::~PeerGroup() {
  relays_.clear();
  while (first_) first_->close();
}

void PeerGroup::welcome(const Door& door, int fd, std::string address) {
  auto peer = std::make_unique<Peer>(*this, door, fd, std::move(address));
  Peer* raw = peer.get();
  raw->next_ = first_;
  if (first_) first_->previous_ = raw;
  first_ = raw;
  ++count_;
  connections_.add(1);
  if (!peer.release()->start()) raw->close();
}

std::size_t PeerGroup::busy() const {
  std::size_t n = 0;
  for (const Peer* peer = first_; peer; peer = peer->next_) n += peer->door().drains && !peer->lingering();
  return n;
}

std::size_t PeerGroup::present() const {
  std::size_t n = 0;
  for (const Peer* peer = first_; peer; peer = peer->next_) n += peer->door().drains;
  return n;
}

bool PeerGroup::keeps(Exchange* exchange) {
  if (!exchange->door->drains) return false;
  if (serving_ == Serving::not_now) return held_.push_back(exchange), true;
  if (serving_ == Serving::elsewhere) return relay(exchange), true;
  if (rehoused_) exchange->match = exchange->door->router.load()->match(exchange->request);
  return false;
}

void PeerGroup::go_on(bool rehoused) {
  serving_ = Serving::here;
  rehoused_ |= rehoused;
  for (Exchange* exchange : std::exchange(held_, {})) {
    if (exchange->peer) Peer::begin(exchange);
    else release(exchange);
  }
}

void PeerGroup::pass_on(std::function<void(Passed)> pass) {
  pass_ = std::move(pass);
  serving_ = Serving::elsewhere;
  for (Exchange* exchange : std::exchange(held_, {})) {
    if (exchange->peer) relay(exchange);
    else release(exchange);
  }
}

void PeerGroup::relay(Exchange* exchange) {
  if (const int status = exchange->request.refused)
    return Peer::finished(exchange, Response::text(status, reason(status)));
  Passed passed{-1, exchange->peer->secure(), exchange->door->local_admin, std::string(exchange->peer->address())};
  auto made = Relay::make(*this, exchange, passed.fd);
  if (!made) {
    Response busy = Response::json(503, std::string(R"({"error":"temporarily_unavailable"})"));
    busy.headers.set("Retry-After", "1");
    return Peer::finished(exchange, busy);
  }
  relays_.push_back(std::move(made));
  pass_(std::move(passed));
}

void PeerGroup::bury(Relay& relay) {
  const auto at = std::find_if(relays_.begin(), relays_.end(), [&](const auto& one) { return one.get() == &relay; });
  std::shared_ptr<Relay> last(std::move(*at));
  relays_.erase(at);
  loop.at_end_of_tick([last] {});
}

void PeerGroup::drain(bool close_idle) {
  draining_ = true;
  if (!close_idle) return;
  for (Peer* peer = first_; peer;) {
    Peer* next = peer->next_;
    if (peer->door().drains) peer->close_if_idle();
    peer = next;
  }
}

char* PeerGroup::read_buffer() {
  if (!buffer_) {
    if (spare_buffers_.empty()) return (buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer)).get();
    buffer_ = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
  }
  return buffer_.get();
}

Exchange* PeerGroup::acquire(Peer* peer, const Door& door) {
  std::unique_ptr<Exchange> exchange;
  if (spare_exchanges_.empty()) {
    exchange = std::make_unique<Exchange>();
  } else {
    exchange = std::move(spare_exchanges_.back());
    spare_exchanges_.pop_back();
  }
  exchange->group = this;
  exchange->peer = peer;
  exchange->door = &door;
  exchange->owns_head = false;
  return exchange.release();
}

void PeerGroup::release(Exchange* raw) {
  std::unique_ptr<Exchange> exchange(raw);
  if (exchange->buffer) {
    if (spare_buffers_.size() < kSpare) spare_buffers_.push_back(std::move(exchange->buffer));
    exchange->buffer.reset();
  }
  exchange->bytes = {};
  exchange->head = {};
  if (exchange->body.capacity() > kSpareText) exchange->body = {};
  exchange->body.clear();
  if (spare_exchanges_.size() < kSpare) spare_exchanges_.push_back(std::move(exchange));
}

std::string PeerGroup::spare_string() {
  if (spare_strings_.empty()) return {};
  std::string text = std::move(spare_strings_.back());
  spare_strings_.pop_back();
  return text;
}

void PeerGroup::give_back(std::string&& text) {
  if (text.capacity() > kSpareText || spare_strings_.size() >= kSpare) return;
  text.clear();
  spare_strings_.push_back(std::move(text));
}

std::string_view PeerGroup::date() {
  if (const std::int64_t second = clock_.now_seconds(); second != date_second_) {
    date_second_ = second;
    date_ = wire::http_date(second);
  }
  return date_;
}

void PeerGroup::write_id(std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint64_t id = next_id_++;
  char digits[8];
  for (int i = 0; i < 8; ++i) digits[i] = kHex[id >> (28 - 4 * i) & 15];
  out.assign(id_prefix_).append(digits, sizeof digits);
}

void PeerGroup::settle_later(Peer& peer) {
  unsettled_.push_back(&peer);
  if (!std::exchange(settles_, true)) loop.at_end_of_tick([this] { settle_all(); });
}

void PeerGroup::settle_all() {
  settles_ = false;
  // Those who are here now; who comes back meanwhile waits for the next tick.
  for (std::size_t left = unsettled_.size(); left > 0; --left) {
    Peer* peer = unsettled_.front();
    unsettled_.pop_front();
    if (!peer) continue;
    peer->settles_later_ = false;
    peer->settle_now();
  }
}

void PeerGroup::forget(Peer& peer) {
  std::replace(unsettled_.begin(), unsettled_.end(), &peer, static_cast<Peer*>(nullptr));
}

void PeerGroup::bury(std::unique_ptr<Peer> peer) {
  --count_;
  connections_.add(-1);
  graveyard_.push_back(std::move(peer));
  if (graveyard_.size() == 1) loop.at_end_of_tick([this] { graveyard_.clear(); });
}

}  // namespace mandate::http
