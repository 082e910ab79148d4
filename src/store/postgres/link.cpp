#include "store/postgres/link.h"

namespace mandate::store::postgres {
namespace {

constexpr std::size_t kMostPrepared = 1000;

/// Not the server's words but libpq's own, of a connection that makes no sense any more: they bear no SQLSTATE. Nothing is
/// known then of what was asked, least of all that it was refused.
bool unheard(const PGresult* answer, const PGconn* connection) {
  if (!answer) return PQstatus(connection) == CONNECTION_BAD;
  const ExecStatusType status = PQresultStatus(answer);
  return (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) && !PQresultErrorField(answer, PG_DIAG_SQLSTATE);
}

}  // namespace

Link::~Link() { close(); }

Result<void> Link::start(std::function<void()> when_lost) {
  when_lost_ = std::move(when_lost);
  if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1) return lost(connection_.get());
  const std::weak_ptr<Link> self = weak_from_this();
  readable_ = loop_.when_readable(PQsocket(connection_.get()), [self] {
    if (const auto alive = self.lock()) alive->hear();
  });
  return {};
}

void Link::send(std::unique_ptr<Trip> trip) {
  trip->sent = std::chrono::steady_clock::now();
  Trip& sent = *trip;
  trips_.push_back(std::move(trip));
  if (!connection_ || !say(sent)) return close();
  flush();
}

bool Link::say(Trip& trip) {
  PGconn* c = connection_.get();
  if (prepared_.size() > kMostPrepared && trips_.size() == 1) forget_statements();
  for (std::size_t i = 0; i < trip.calls.size(); ++i) {
    const Call& call = trip.calls[i];
    const Statement& s = *call.statement;
    if (s.table && !s.table->shared) tables_.insert(s.table->id);
    if (prepared_.insert(s.name).second) {
      if (!PQsendPrepare(c, s.name.c_str(), s.sql.c_str(), static_cast<int>(s.types.size()), s.types.data())) return false;
      awaited_.push_back({What::prepare, i, s.name});
    }
    call.parameters.view(view_);
    if (!PQsendQueryPrepared(c, s.name.c_str(), static_cast<int>(view_.values.size()), view_.values.data(), view_.lengths.data(),
                             view_.formats.data(), 1))
      return false;
    awaited_.push_back({What::call, i});
  }
  if (!PQpipelineSync(c)) return false;
  awaited_.push_back({What::sync});
  return true;
}

void Link::forget_statements() {
  if (!PQsendQueryParams(connection_.get(), "DEALLOCATE ALL", 0, nullptr, nullptr, nullptr, nullptr, 0)) return;
  awaited_.push_back({What::nothing});
  prepared_.clear();
}

void Link::flush() {
  const int left = PQflush(connection_.get());
  if (left < 0) return close();
  if (left == 0) return writable_.reset();
  if (writable_) return;
  const std::weak_ptr<Link> self = weak_from_this();
  writable_ = loop_.when_writable(PQsocket(connection_.get()), [self] {
    if (const auto alive = self.lock()) {
      alive->hear();  // a server that waits for us to read does not read
      if (alive->open()) alive->flush();
    }
  });
}

void Link::hear() {
  const std::shared_ptr<Link> alive = shared_from_this();
  if (!connection_ || hearing_) return;
  if (!PQconsumeInput(connection_.get())) return close();
  hearing_ = true;
  while (connection_ && !awaited_.empty()) {
    // Before anything of the next is looked at: its rows are wanted one by one.
    const Awaited& next = awaited_.front();
    if (next.what == What::call && trips_.front()->calls[next.call].each) (void)PQsetSingleRowMode(connection_.get());
    if (PQisBusy(connection_.get())) break;
    Answer answer(PQgetResult(connection_.get()));
    if (unheard(answer.get(), connection_.get())) {
      hearing_ = false;
      return close();
    }
    if (answer) take(std::move(answer));
    else end_of_one();
  }
  hearing_ = false;
  if (connection_ && PQstatus(connection_.get()) == CONNECTION_BAD) close();
}

void Link::take(Answer answer) {
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_PIPELINE_SYNC) {
    while (!awaited_.empty() && awaited_.front().what != What::sync) awaited_.pop_front();
    if (!awaited_.empty()) awaited_.pop_front();
    return finish_trip();
  }
  if (awaited_.empty() || awaited_.front().what == What::sync || trips_.empty()) return;
  const Awaited& now = awaited_.front();
  Trip& trip = *trips_.front();
  if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
    if (now.what == What::prepare) prepared_.erase(now.statement);
    if (now.what == What::nothing || trip.failed) return;
    Call& call = trip.calls[now.call];
    call.state = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
    call.message = PQresultErrorMessage(answer.get());
    trip.failed = now.call;
    return;
  }
  if (status == PGRES_PIPELINE_ABORTED) {
    if (now.what == What::prepare) prepared_.erase(now.statement);
    return;
  }
  if (now.what != What::call) return;
  Call& call = trip.calls[now.call];
  if (call.each && (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK))
    for (int row = 0; row < PQntuples(answer.get()); ++row)
      if (!call.each(answer.get(), row)) call.each = [](const PGresult*, int) { return true; };
  if (status == PGRES_SINGLE_TUPLE) return;
  call.result = std::move(answer);
}

/// PQgetResult's null: the next statement's answers come now.
void Link::end_of_one() {
  if (!awaited_.empty() && awaited_.front().what != What::sync) awaited_.pop_front();
}

void Link::finish_trip() {
  if (trips_.empty()) return;
  const std::unique_ptr<Trip> trip = std::move(trips_.front());
  trips_.pop_front();
  if (trip->back) trip->back(*trip);
}

void Link::close() {
  if (!connection_) {
    // A trip that was sent to a closed link.
    auto left = std::exchange(trips_, {});
    for (const auto& trip : left) {
      trip->lost = true;
      if (trip->back) trip->back(*trip);
    }
    return;
  }
  readable_.reset();
  writable_.reset();
  const Connection gone = std::move(connection_);
  connection_ = nullptr;
  awaited_.clear();
  prepared_.clear();
  const auto left = std::exchange(trips_, {});
  const auto when_lost = std::exchange(when_lost_, nullptr);
  if (when_lost) when_lost();
  for (const auto& trip : left) {
    trip->lost = true;
    if (trip->back) trip->back(*trip);
  }
}

}  // namespace mandate::store::postgres
