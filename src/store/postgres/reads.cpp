#include "store/postgres/reads.h"

#include <algorithm>

namespace mandate::store::postgres {
namespace {

// Round trips under way on one connection: the next is on its way while the server works on the last.
constexpr std::size_t kDepth = 2;

}  // namespace

/// The asks of one statement.
struct Reads::Group {
  std::vector<ReadAskPtr> asks;
};

Reads::Reads(Loop& loop, Core& core)
    : core_(core), links_(std::make_shared<Links>(loop, core, core.options().read_connections, false)) {
  // For the statements up to the next Sync: they are one transaction.
  auto limit = std::make_shared<Statement>();
  limit->name = "mandate_" + std::to_string(core.next_id());
  limit->sql = "SELECT set_config('statement_timeout', $1, true)";
  limit->types = {static_cast<unsigned>(Kind::text)};
  limit_ = std::move(limit);
}

void Reads::start() {
  const std::weak_ptr<Reads> self = weak_from_this();
  links_->start([self] {
    if (const auto alive = self.lock()) alive->flush();
  });
}

void Reads::close() {
  links_->close();
  for (const ReadAskPtr& ask : std::exchange(queue_, {})) ask->refuse(Error(Code::overloaded, "The server is busy.", "the store closes"));
}

Result<void> Reads::push(ReadAskPtr ask) {
  if (queue_.size() >= core_.options().queue_limit) return Error(Code::overloaded, "The server is busy.", "too many reads wait");
  timed_.add(ask);
  queue_.push_back(std::move(ask));
  return {};
}

Joined* Reads::free_link() {
  Joined* best = nullptr;
  for (const auto& one : links_->all())
    if (one->link->under_way() < kDepth && (!best || one->link->under_way() < best->link->under_way())) best = one.get();
  return best;
}

void Reads::flush() {
  const std::shared_ptr<Reads> alive = shared_from_this();
  while (!queue_.empty()) {
    Joined* link = free_link();
    if (!link) return;
    const std::shared_ptr<Link> keep = link->link;
    std::unique_ptr<Trip> trip = next_trip();
    if (trip) keep->send(std::move(trip));
  }
}

/// As many of those that wait as may share a round trip, equal gets in one statement.
std::unique_ptr<Trip> Reads::next_trip() {
  std::vector<std::shared_ptr<Group>> groups;
  std::map<const Statement*, std::shared_ptr<Group>> by_statement;
  for (std::size_t taken = 0; taken < core_.options().most_together && !queue_.empty();) {
    if (queue_.front()->alone && taken > 0) break;
    const ReadAskPtr ask = std::move(queue_.front());
    queue_.pop_front();
    if (ask->done) continue;
    ++taken;
    std::shared_ptr<Group>* group = nullptr;
    if (ask->many && !ask->alone) group = &by_statement[ask->statement.get()];
    if (group && *group) {
      (*group)->asks.push_back(ask);
      continue;
    }
    groups.push_back(std::make_shared<Group>());
    groups.back()->asks.push_back(ask);
    if (group) *group = groups.back();
    if (ask->alone) break;
  }
  if (groups.empty()) return nullptr;
  auto trip = std::make_unique<Trip>();
  std::size_t first = 0;
  if (groups.front()->asks.front()->hurried) {
    first = 1;
    Call& limit = trip->calls.emplace_back();
    limit.statement = limit_;
    const auto until = groups.front()->asks.front()->until - std::chrono::steady_clock::now();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until).count();
    limit.parameters.add_text(std::to_string(std::max<std::int64_t>(1, left)));
  }
  for (const auto& group : groups) {
    Call& call = trip->calls.emplace_back();
    const ReadAsk& first = *group->asks.front();
    if (group->asks.size() == 1) {
      call.statement = first.statement;
      call.parameters = first.parameters;
      if (first.each)
        call.each = [ask = group->asks.front()](const PGresult* result, int row) { return !ask->done && ask->each(result, row); };
      continue;
    }
    core_.merged_reads.add(static_cast<double>(group->asks.size()));
    call.statement = first.many;
    std::vector<const Parameters*> rows;
    for (const ReadAskPtr& ask : group->asks) rows.push_back(&ask->parameters);
    std::vector<Kind> kinds;
    for ([[maybe_unused]] const Lead lead : first.statement->lead) kinds.push_back(Kind::text);
    for (const Kind kind : first.statement->bound)
      if (kind != Kind::none) kinds.push_back(kind);
    for (std::size_t i = 0; i < kinds.size(); ++i) call.parameters.add_array(rows, i, kinds[i]);
  }
  ++under_way_;
  trip->back = [self = weak_from_this(), groups, first](Trip& done) {
    if (const auto alive = self.lock()) alive->back(groups, first, done);
  };
  return trip;
}

void Reads::back(const std::vector<std::shared_ptr<Group>>& groups, std::size_t first, Trip& trip) {
  const std::shared_ptr<Reads> alive = shared_from_this();
  --under_way_;
  // Those that were not reached go again, in front: reading twice does no harm.
  for (std::size_t i = groups.size(); i-- > 0;) {
    Call& call = trip.calls[first + i];
    const bool streamed = groups[i]->asks.size() == 1 && groups[i]->asks.front()->each;
    if (call.result || (trip.failed == first + i && !trip.lost)) continue;
    for (auto ask = groups[i]->asks.rbegin(); ask != groups[i]->asks.rend(); ++ask) {
      if ((*ask)->done) continue;
      // Rows of a list may have been handed over already.
      if (trip.lost && streamed) (*ask)->refuse(Error(Code::overloaded, "The server is busy.", "the connection broke while rows came"));
      else queue_.push_front(*ask);
    }
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    Call& call = trip.calls[first + i];
    if (call.result) deliver(*groups[i], call);
    else if (trip.failed == first + i && !trip.lost) refused(*groups[i], call);
  }
  flush();
}

void Reads::deliver(Group& group, Call& call) {
  core_.reads.add(static_cast<double>(group.asks.size()));
  const PGresult* result = call.result.get();
  const int rows = PQntuples(result);
  if (group.asks.size() == 1) {
    ReadAsk& ask = *group.asks.front();
    if (rows > 0 && !ask.each) ask.found = row_of(*ask.statement, result, 0);
    return ask.finish();
  }
  for (int i = 0; i < rows; ++i) {
    const auto number = static_cast<std::size_t>(std::get<std::int64_t>(cell_of(result, i, 0)));
    ReadAsk& ask = *group.asks.at(number - 1);
    ask.found = row_of(*ask.many, result, i);
  }
  for (const ReadAskPtr& ask : group.asks) ask->finish();
}

void Reads::refused(Group& group, const Call& call) {
  if (group.asks.size() > 1) {
    // One of them cannot be answered: each for itself, so that only that one fails.
    for (auto ask = group.asks.rbegin(); ask != group.asks.rend(); ++ask) {
      (*ask)->alone = true;
      queue_.push_front(*ask);
    }
    return;
  }
  ReadAsk& ask = *group.asks.front();
  ask.stale = schema_changed(call.state);
  Error error = error_of(call.state, call.message);
  if (error.code == Code::timeout) core_.timeouts.add();
  ask.refuse(std::move(error));
}

void Reads::look_at_time(std::chrono::steady_clock::time_point now) {
  for (const std::shared_ptr<Ask>& ask : timed_.overdue(now)) {
    core_.timeouts.add();
    ask->refuse(Error(links_->trouble().empty() ? Code::timeout : Code::overloaded, "The server is busy.", links_->trouble()));
  }
  links_->look_after(core_.options().statement_limit + std::chrono::seconds(2));
}

}  // namespace mandate::store::postgres
