#include "http/peer.h"

#include "base/task.h"
#include "http/wire/write_response.h"

namespace mandate::http {
namespace {

constexpr std::size_t kOutHigh = 256 << 10;      // answers gathered before they are sent
constexpr std::size_t kLingerBytes = 4 << 20;    // thrown away before we hang up on who does not listen
constexpr int kTlsHandshake = 0x16;
const RouteOptions kDefaults;                    // where no route matches
constexpr int kMisdirected = 421;                // who asks for another's host name asks the next time on a peer of its own

/// The outermost frame of a request; pooled like those of Task, and never awaited.
struct Driver {
  struct promise_type {
    static void* operator new(std::size_t size) { return mandate::detail::PromiseBase::operator new(size); }
    static void operator delete(void* frame, std::size_t size) {
      mandate::detail::PromiseBase::operator delete(frame, size);
    }
    Driver get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

Driver drive(Exchange* exchange) {
  Task<Response> task = exchange->door->router.load()->answer(exchange->request, exchange->match);
  const Result<Response> result = co_await task;  // the router has caught everything
  exchange->group->ended();
  Peer::finished(exchange, *result);
}

}  // namespace

Peer::Peer(PeerGroup& group, const Door& door, int fd, std::string address)
    : group_(group), door_(door), transport_(fd), address_(std::move(address)) {}

Peer::~Peer() { watch_.reset(); }

bool Peer::start() {
  watch_ = group_.loop.watch_stream(transport_.fd(), *this);
  if (!watch_) return false;
  phase_ = door_.tls ? Phase::sniffing : Phase::serving;
  group_.deadlines.enter(*this, Deadlines::header, std::chrono::steady_clock::now());
  watch_->wait_readable();
  return true;
}

void Peer::close() {
  if (closed_) return;
  closed_ = true;
  if (settles_later_) group_.forget(*this);
  group_.deadlines.leave(*this);
  watch_.reset();
  transport_.close();
  if (exchange_) {
    exchange_->peer = nullptr;
    if (!answering_) group_.release(exchange_);  // else the handler still looks at it
    exchange_ = nullptr;
  }
  (previous_ ? previous_->next_ : group_.first_) = next_;
  if (next_) next_->previous_ = previous_;
  group_.bury(std::unique_ptr<Peer>(this));
}

void Peer::close_if_idle() {
  if (phase_ == Phase::serving && !answering_ && !exchange_ && in_.empty() && out_.empty()) {
    read_some();  // a request may have arrived this very moment
    if (!closed_ && !answering_ && !exchange_ && in_.empty() && out_.empty() && phase_ == Phase::serving) close();
  } else if (phase_ == Phase::sniffing || phase_ == Phase::lingering) {
    close();
  }
}

void Peer::on_readable() {
  switch (phase_) {
    case Phase::sniffing: return sniff();
    case Phase::handshaking: return shake_hands();
    case Phase::lingering: return linger_on();
    case Phase::serving:
      if (!out_.empty()) return on_writable();  // TLS wanted to read before it could write
      if (!answering_) read_some();
  }
}

void Peer::on_writable() {
  if (phase_ == Phase::handshaking) return shake_hands();
  if (out_.empty()) return on_readable();  // TLS wanted to write before it could read
  if (in_.empty() || answering_) settle_now();
  else if (flush()) advance(in_, false);
}

void Peer::sniff() {
  const int first = transport_.peek();
  if (first == -2) return close();
  if (first == -1) return await_bytes();
  phase_ = Phase::serving;
  if (first != kTlsHandshake) return read_some();
  const auto context = door_.tls->context();
  if (!context || !transport_.start_tls(context.get())) return close();
  phase_ = Phase::handshaking;
  group_.deadlines.enter(*this, Deadlines::tls, std::chrono::steady_clock::now());
  shake_hands();
}

void Peer::shake_hands() {
  switch (transport_.handshake()) {
    case Transport::Need::readable: return await_bytes();
    case Transport::Need::writable: return watch_->wait_writable();
    case Transport::Need::closed: return close();
    case Transport::Need::nothing: break;
  }
  phase_ = Phase::serving;
  group_.deadlines.enter(*this, Deadlines::header, std::chrono::steady_clock::now());
  read_some();
}

void Peer::read_some() {
  Transport::Moved moved;
  if (in_.empty()) {
    char* buffer = group_.read_buffer();
    moved = transport_.read(buffer, PeerGroup::kBuffer);
    if (moved.last) watch_->drained(IoLoop::Watch::End::short_read);
    if (moved.bytes) return advance({buffer, moved.bytes}, true);
  } else {
    const std::size_t had = in_.size();
    in_.resize(had + (16 << 10));
    moved = transport_.read(in_.data() + had, in_.size() - had);
    in_.resize(had + moved.bytes);
    if (moved.last) watch_->drained(IoLoop::Watch::End::short_read);
    if (moved.bytes) return advance(in_, false);
  }
  if (moved.need == Transport::Need::closed) return close();
  if (moved.need == Transport::Need::writable) watch_->wait_writable();
  else await_bytes();
}

void Peer::await_bytes() {
  watch_->drained(IoLoop::Watch::End::nothing_there);
  watch_->wait_readable();
}

void Peer::advance(std::string_view data, bool from_buffer) {
  moved_ = false;
  taking_ = true;
  const std::size_t used = take(data, from_buffer);
  taking_ = false;
  const std::string_view rest = data.substr(used);
  if (from_buffer || moved_) in_.assign(rest);
  else if (used == in_.size()) in_ = {};
  else in_.erase(0, used);
  settle();
}

std::size_t Peer::take(std::string_view data, bool from_buffer) {
  std::size_t at = 0;
  full_ = false;
  while (!ending_ && !answering_) {
    if (out_.size() > kOutHigh) return full_ = true, at;
    if (!exchange_ && (at == data.size() || !take_head(data, at))) break;
    if (!take_body(data, at)) break;
    dispatch(from_buffer);
  }
  return ending_ ? data.size() : at;
}

bool Peer::take_head(std::string_view data, std::size_t& at) {
  switch (scanner_.scan(data.substr(at), group_.head_limits)) {
    case wire::HeadScanner::Step::incomplete: return false;
    case wire::HeadScanner::Step::refused: return refuse(scanner_.status()), false;
    case wire::HeadScanner::Step::complete: break;
  }
  exchange_ = group_.acquire(this, door_);
  Exchange& exchange = *exchange_;
  Request& request = exchange.request;
  exchange.started = exchange.body_started = std::chrono::steady_clock::now();
  exchange.head_bytes = data.substr(at + scanner_.begin(), scanner_.end() - scanner_.begin());
  at += scanner_.end();
  scanner_ = {};
  chunks_ = {};
  group_.write_id(request.id);
  request.host.clear();
  request.refused = 0;
  exchange.match = {};
  request.local_admin = door_.local_admin;
  request.secure = secure();
  request.deadline = exchange.started + group_.limits.request_timeout;
  const wire::HeadContext context{address_, secure(), door_.proxies};
  if (const int status = wire::read_head(exchange.head_bytes, context, request, exchange.framing))
    return refuse(status), false;
  exchange.head_only = request.method == Method::head;
  exchange.match = door_.router.load()->match(request);
  const RouteOptions& options = exchange.match.options ? *exchange.match.options : kDefaults;
  if (request.target.size() > options.target_limit) return refuse(414), false;
  const std::size_t limit = options.body_limit;
  return exchange.framing.length <= limit || refuse_body(413);
}

bool Peer::take_body(std::string_view data, std::size_t& at) {
  Exchange& exchange = *exchange_;
  wire::Framing& framing = exchange.framing;
  if (!framing.has_body()) return true;
  if (framing.chunked) {
    const std::size_t limit = (exchange.match.options ? *exchange.match.options : kDefaults).body_limit;
    std::string_view rest = data.substr(at);
    const auto step = chunks_.read(rest, exchange.body, limit);
    at = data.size() - rest.size();
    if (step == wire::ChunkedReader::Step::refused) return refuse_body(400);
    if (step == wire::ChunkedReader::Step::too_large) return refuse_body(413);
    if (step == wire::ChunkedReader::Step::done) return exchange.request.body = exchange.body, true;
  } else {
    const std::size_t here = data.size() - at;
    if (!exchange.owns_head && here >= framing.length) {
      exchange.request.body = data.substr(at, framing.length);
      at += framing.length;
      return true;
    }
    const std::size_t missing = static_cast<std::size_t>(framing.length) - exchange.body.size();
    exchange.body.append(data.substr(at, missing));
    at += std::min(here, missing);
    if (exchange.body.size() == framing.length) return exchange.request.body = exchange.body, true;
  }
  own_head();
  if (framing.expects_continue && exchange.body.empty()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  framing.expects_continue = false;
  return false;
}

void Peer::own_head() {
  Exchange& exchange = *exchange_;
  if (exchange.owns_head) return;
  const std::string_view old = exchange.head_bytes;
  exchange.head.assign(old);
  auto move = [&](std::string_view& view) {
    if (view.data() >= old.data() && view.data() <= old.data() + old.size())
      view = {exchange.head.data() + (view.data() - old.data()), view.size()};
  };
  move(exchange.request.target);
  move(exchange.request.query);
  exchange.request.headers.rebase(old.data(), old.size(), exchange.head.data());
  exchange.head_bytes = exchange.head;
  exchange.owns_head = true;
}

void Peer::dispatch(bool from_buffer) {
  answering_ = true;
  begin(exchange_);
  if (!answering_ || exchange_->owns_head) return;
  // The handler took its time: the bytes it looks at stay with it.
  if (from_buffer) exchange_->buffer = group_.take_read_buffer();
  else exchange_->bytes = std::move(in_), moved_ = true;
}

void Peer::begin(Exchange* exchange) {
  if (exchange->group->keeps(exchange)) return;
  exchange->group->begun();
  drive(exchange);
}

void Peer::finished_elsewhere(Exchange* exchange, std::string_view bytes) {
  Peer* peer = exchange->peer;
  exchange->group->release(exchange);
  if (!peer) return;
  peer->exchange_ = nullptr;
  peer->answering_ = false;
  if (bytes.empty()) return peer->close();
  peer->out_ += bytes;
  peer->ending_ = peer->served_ = true;
  peer->group_.deadlines.leave(*peer);
  peer->settle();
}

void Peer::finished(Exchange* exchange, const Response& response) {
  exchange->door->metrics->observe(exchange->match.route, response.status,
                                   std::chrono::steady_clock::now() - exchange->started);
  if (exchange->group->log.on(Level::debug))
    exchange->group->log.debug("request", {{"request_id", exchange->request.id},
                                           {"method", name(exchange->request.method)},
                                           {"path", exchange->request.path},
                                           {"query", loggable_query(exchange->request.query)},
                                           {"status", response.status},
                                           {"ip", exchange->request.peer}});
  if (exchange->peer) exchange->peer->answer(response);
  else exchange->group->release(exchange);
}

void Peer::answer(const Response& response) {
  const Exchange& exchange = *exchange_;
  ending_ = ending_ || exchange.framing.close || group_.draining() || door_.once || response.status == kMisdirected ||
            response.headers.get("Connection") == "close";
  if (out_.capacity() < 64) out_ = group_.spare_string();
  wire::write_response(out_, exchange.request, response, {ending_, exchange.head_only, group_.date()});
  group_.release(std::exchange(exchange_, nullptr));
  answering_ = false;
  served_ = true;
  group_.deadlines.leave(*this);
  if (taking_) return;
  if (in_.empty() || ending_) settle();
  else advance(in_, false);
}

void Peer::refuse(int status) {
  group_.refused.add();
  if (group_.log.on(Level::debug)) group_.log.debug("refused", {{"status", status}, {"ip", address_}});
  ending_ = true;
  Response response = Response::text(status, reason(status));
  if (status == 405) response.headers.set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  static const Request kNone;
  wire::write_response(out_, exchange_ ? exchange_->request : kNone, response, {true, false, group_.date()});
  if (exchange_) group_.release(std::exchange(exchange_, nullptr));
}

bool Peer::refuse_body(int status) {
  Exchange& exchange = *exchange_;
  if (!exchange.match.options || !exchange.match.options->answers_refusals) return refuse(status), false;
  group_.refused.add();
  exchange.request.refused = status;
  exchange.request.body = {};
  exchange.framing = {};
  exchange.framing.close = true;  // where the next request would begin is not known
  return true;
}

void Peer::settle() {
  if (out_.empty()) return settle_now();
  if (!std::exchange(settles_later_, true)) group_.settle_later(*this);
}

void Peer::settle_now() {
  for (;;) {
    if (!flush()) return;
    if (!full_ || answering_ || ending_) break;
    full_ = false;
    return advance(in_, false);
  }
  const auto now = std::chrono::steady_clock::now();
  if (ending_ && !answering_) {
    transport_.finish();
    phase_ = Phase::lingering;
    in_ = {};
    group_.deadlines.enter(*this, Deadlines::linger, now);
    return watch_->wait_readable();
  }
  if (answering_) {
    if (waiting_for() != Deadlines::request) group_.deadlines.enter(*this, Deadlines::request, now);
    return;
  }
  const Deadlines::Kind wanted = exchange_           ? Deadlines::body
                                 : scanner_.started() ? Deadlines::header
                                 : served_            ? Deadlines::idle
                                                      : Deadlines::header;
  if (waiting_for() != wanted) group_.deadlines.enter(*this, wanted, now);
  if (transport_.has_pending()) watch_->readable_soon();
  else watch_->wait_readable();
}

bool Peer::flush() {
  bool moved_any = false;
  while (written_ < out_.size()) {
    const Transport::Moved moved = transport_.write(out_.data() + written_, out_.size() - written_);
    written_ += moved.bytes;
    moved_any |= moved.bytes > 0;
    if (moved.need == Transport::Need::closed) return close(), false;
    if (moved.bytes) continue;
    if (moved_any || waiting_for() != Deadlines::write)
      group_.deadlines.enter(*this, Deadlines::write, std::chrono::steady_clock::now());
    if (moved.need == Transport::Need::readable) await_bytes();
    else watch_->wait_writable();
    return false;
  }
  if (waiting_for() == Deadlines::write) group_.deadlines.leave(*this);
  written_ = 0;
  if (out_.capacity() > 64) group_.give_back(std::exchange(out_, {}));
  else out_.clear();
  return true;
}

void Peer::linger_on() {
  char* scratch = group_.read_buffer();
  const Transport::Moved moved = transport_.discard(scratch, PeerGroup::kBuffer);
  discarded_ += moved.bytes;
  if (moved.need == Transport::Need::closed || discarded_ > kLingerBytes) return close();
  if (moved.bytes == 0) return await_bytes();
  watch_->wait_readable();  // as long as bytes come, others get their turn in between
}

void Peer::on_deadline(Deadlines::Kind kind) {
  const auto now = std::chrono::steady_clock::now();
  switch (kind) {
    case Deadlines::header:
      if (phase_ != Phase::serving || !scanner_.started()) return close();
      refuse(408);
      return settle();
    case Deadlines::body: {
      const auto earned = std::chrono::milliseconds(exchange_->body.size() * 1000 / std::max<std::size_t>(1, group_.limits.body_rate));
      if (now < exchange_->body_started + group_.limits.body_grace + earned)
        return group_.deadlines.enter(*this, Deadlines::body, now);
      refuse(408);
      return settle();
    }
    case Deadlines::request: {
      group_.log.error("handler overran its deadline",
                       {{"request_id", exchange_->request.id}, {"path", exchange_->request.path}});
      ending_ = true;
      const RouteOptions& options = exchange_->match.options ? *exchange_->match.options : kDefaults;
      // What waits for another process has no room to ask here.
      Response late = options.late && group_.serves_here() ? options.late(exchange_->request) : Response::json(503, std::string(R"({"error":"timeout"})"));
      if (!late.headers.has("Retry-After")) late.headers.set("Retry-After", "1");
      wire::write_response(out_, exchange_->request, late, {true, exchange_->head_only, group_.date()});
      exchange_->peer = nullptr;  // the handler goes on with the exchange, nobody waits for it
      exchange_ = nullptr;
      answering_ = false;
      return settle();
    }
    case Deadlines::write:
      watch_.reset();
      transport_.abort();
      return close();
    default: return close();
  }
}

}  // namespace mandate::http
