#include "store/postgres/feed.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace mandate::store::postgres {
namespace {

// What was remembered is trusted for so long without word from the database: a server that is being replaced must not
// stop the checking of tokens (RL-12), a node that is cut off must not honour them for ever.
constexpr std::chrono::seconds kTrust{60};
constexpr std::chrono::minutes kSweepEvery{5};
constexpr Millis kKeepNews = 60LL * 60 * 1000, kKeepStreams = 24LL * 60 * 60 * 1000;

}  // namespace

Feed::Feed(Core& core) : core_(core), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Feed::~Feed() {
  over_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  ::close(wake_);
}

Result<void> Feed::begin(PGconn* connection) {
  TRY(const Answer streams, run(connection, "SELECT stream, n FROM mandate_streams"));
  for (int i = 0; i < PQntuples(streams.get()); ++i)
    known_[std::string(cell(streams, i, 0))] = std::stoll(std::string(cell(streams, i, 1)));
  return {};
}

void Feed::start() {
  thread_ = std::thread([this] { work(); });
}

void Feed::work() {
  Connection connection;
  auto heard = std::chrono::steady_clock::now(), swept = heard;
  while (!over_) {
    Result<void> asked;
    if (!connection) {
      Result<Connection> made = core_.connect();
      if (made.ok()) connection = std::move(*made);
      else asked = made.error();
      if (connection && core_.options().notifications) asked = [&]() -> Result<void> {
        CHECK_OK(run(connection.get(), "LISTEN " + identifier(core_.options().schema), patience()));
        return {};
      }();
    }
    if (connection && asked.ok()) asked = ask(connection.get());
    const auto now = std::chrono::steady_clock::now();
    if (asked.ok()) {
      // So long without a word, as when the process was stopped: news may be swept that were never read here.
      if (now - heard > kTrust) core_.distrust();
      heard = now;
      if (now - swept > kSweepEvery) {
        swept = now;
        sweep(connection.get());
      }
    } else {
      if (!connection || PQstatus(connection.get()) != CONNECTION_OK) connection.reset();
      if (now - heard > kTrust) core_.distrust();
    }
    if (!wait(connection.get(), core_.options().feed_every)) return;
  }
}

/// A server that hangs must neither hold up the end nor the day when nothing remembered is trusted any more.
Patience Feed::patience() const { return Patience::of(core_.options().statement_limit, wake_); }

Result<void> Feed::ask(PGconn* connection) {
  TRY(const Answer streams, run(connection, "SELECT stream, n FROM mandate_streams", patience()));
  std::string names, numbers;
  std::vector<std::pair<std::string, std::int64_t>> grown;
  for (int i = 0; i < PQntuples(streams.get()); ++i) {
    std::string stream(cell(streams, i, 0));
    const std::int64_t n = std::stoll(std::string(cell(streams, i, 1)));
    std::int64_t& last = known_[stream];
    if (n <= last) continue;
    if (core_.own_stream(stream)) {
      last = n;
      continue;
    }
    names += (names.empty() ? "" : ",") + stream;
    numbers += (numbers.empty() ? "" : ",") + std::to_string(last);
    grown.emplace_back(std::move(stream), n);
  }
  if (grown.empty()) return {};
  TRY(const Answer news, run(connection,
                             "SELECT DISTINCT f.mandate_tenant, f.table_name FROM unnest($1::text[], $2::bigint[]) AS k(stream, n)"
                             " JOIN mandate_feed f ON f.stream = k.stream AND f.n > k.n",
                             {"{" + names + "}", "{" + numbers + "}"}, patience()));
  std::map<std::string, std::set<std::string>> changed;
  for (int i = 0; i < PQntuples(news.get()); ++i) changed[std::string(cell(news, i, 0))].emplace(cell(news, i, 1));
  for (const auto& [stream, n] : grown) known_[stream] = n;
  for (const auto& [tenant, tables] : changed) {
    if (tables.contains("mandate_columns")) core_.schema_changed(tenant);
    core_.tell(tenant, tables);
  }
  return {};
}

/// Old news, and streams whose connections are long gone. Any node may; two at once do no harm.
void Feed::sweep(PGconn* connection) {
  const std::string before = std::string(" WHERE at < ") + kDatabaseNow + " - $1::bigint";
  (void)run(connection, "DELETE FROM mandate_feed" + before, {std::to_string(kKeepNews)}, patience());
  (void)run(connection, "DELETE FROM mandate_streams" + before, {std::to_string(kKeepStreams)}, patience());
  const Result<Answer> left = run(connection, "SELECT stream FROM mandate_streams", patience());
  if (!left.ok()) return;
  std::set<std::string, std::less<>> there;
  for (int i = 0; i < PQntuples(left->get()); ++i) there.emplace(cell(*left, i, 0));
  std::erase_if(known_, [&](const auto& entry) { return !there.contains(entry.first); });
}

bool Feed::wait(PGconn* connection, std::chrono::milliseconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (!over_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return true;
    pollfd fds[] = {{wake_, POLLIN, 0}, {connection ? PQsocket(connection) : -1, POLLIN, 0}};
    if (::poll(fds, 2, static_cast<int>(left)) <= 0) continue;
    if (!fds[1].revents) continue;
    if (!PQconsumeInput(connection)) return true;
    bool heard = false;
    while (PGnotify* note = PQnotifies(connection)) {
      heard = true;
      PQfreemem(note);
    }
    if (heard) return true;
  }
  return false;
}

}  // namespace mandate::store::postgres
