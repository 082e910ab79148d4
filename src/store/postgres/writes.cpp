#include "store/postgres/writes.h"

#include <algorithm>
#include <charconv>

namespace mandate::store::postgres {
namespace {

constexpr int kMostTries = 8;
constexpr std::size_t kCountCall = 1;
constexpr std::string_view kDivisionByZero = "22012";
constexpr unsigned kText = 25, kInt8 = 20, kTexts = 1009;

StatementPtr plain(Core& core, std::string sql, std::vector<unsigned> types = {}) {
  auto s = std::make_shared<Statement>();
  s->name = "mandate_" + std::to_string(core.next_id());
  s->sql = std::move(sql);
  s->types = std::move(types);
  return s;
}

std::int64_t rows_touched(const Call& call) {
  const std::string_view text = PQcmdTuples(call.result.get());
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Touched touched_by(const Mutation& m, const Call& call) {
  const Statement& s = *call.statement;
  const PGresult* result = call.result.get();
  Touched out;
  out.count = s.guarded ? std::get<std::int64_t>(cell_of(result, 0, 0)) : rows_touched(call);
  if (m.returning.empty() || m.kind == Mutation::Kind::check) return out;
  for (int row = 0; row < PQntuples(result) && row < out.count; ++row) out.rows.push_back(row_of(s, result, row));
  return out;
}

/// How many rows a committed mutation must have touched; absent where that does not follow. In company every expectation is
/// asked by the transaction itself, and an insert that does nothing fails.
std::optional<std::int64_t> implied(const Batch& batch, const Mutation& m) {
  if (!m.returning.empty()) return std::nullopt;
  if (m.expect == Mutation::Expect::none) return 0;
  if (batch.mutations.size() == 1 && m.kind != Mutation::Kind::check) return std::nullopt;
  if (m.kind == Mutation::Kind::insert || m.expect == Mutation::Expect::one) return 1;
  return std::nullopt;
}

Error gone_with_the_connection() {
  return Error(Code::timeout, "The server is busy.", "committed, but what it gave was lost with the connection");
}

Error busy(std::string detail) { return Error(Code::overloaded, "The server is busy.", std::move(detail)); }

}  // namespace

Writes::Writes(Loop& loop, Core& core)
    : core_(core), links_(std::make_shared<Links>(loop, core, core.options().write_connections, true)) {
  const std::string schema = identifier(core.options().schema);
  begin_ = plain(core, "BEGIN ISOLATION LEVEL READ COMMITTED");
  commit_ = plain(core, "COMMIT");
  rollback_ = plain(core, "ROLLBACK");
  count_ = plain(core,
                 "WITH u AS (UPDATE " + schema + ".mandate_streams SET n = $2, at = " + kDatabaseNow + " WHERE stream = $1 AND n = $2 - 1 AND NOT fenced"
                 " RETURNING 1) SELECT 1 / count(*) FROM u",
                 {kText, kInt8});
  const std::string feed = "INSERT INTO " + schema + ".mandate_feed SELECT $1, $2, k.t, k.n, " + kDatabaseNow + " FROM unnest($3, $4) AS k(t, n)";
  announce_ = plain(core,
                    core.options().notifications ? "WITH f AS (" + feed + ") SELECT pg_notify(" + literal_sql(core.options().schema) + ", '')" : feed,
                    {kText, kInt8, kTexts, kTexts});
  // Waits for a transaction of the stream that still runs; afterwards none of it can commit any more.
  fence_ = plain(core, "UPDATE " + schema + ".mandate_streams SET fenced = true WHERE stream = $1 RETURNING n", {kText});
}

void Writes::start() {
  const std::weak_ptr<Writes> self = weak_from_this();
  links_->start([self] {
    if (const auto alive = self.lock()) alive->flush();
  });
}

void Writes::close() {
  links_->close();
  for (const auto& doubt : std::exchange(doubts_, {}))
    for (Unit& unit : doubt->group->units)
      for (const WriteAskPtr& ask : unit.asks) ask->refuse(busy("the store closes"));
  for (const WriteAskPtr& ask : std::exchange(queue_, {})) ask->refuse(busy("the store closes"));
}

Result<void> Writes::push(WriteAskPtr ask) {
  if (queue_.size() >= core_.options().queue_limit) return busy("too many writes wait");
  timed_.add(ask);
  queue_.push_back(std::move(ask));
  core_.queued.set(static_cast<double>(queue_.size()));
  return {};
}

Joined* Writes::free_link() {
  for (const auto& one : links_->all())
    if (!one->busy) return one.get();
  return nullptr;
}

void Writes::flush() {
  const std::shared_ptr<Writes> alive = shared_from_this();
  for (std::size_t i = 0; i < doubts_.size(); ++i) {
    if (doubts_[i]->asked) continue;
    Joined* link = free_link();
    if (!link) return;
    ask_about(*link, i);
  }
  while (!queue_.empty()) {
    Joined* link = free_link();
    if (!link) return;
    const std::shared_ptr<Group> group = next_group();
    if (group) send(*link, group);
  }
}

std::shared_ptr<Writes::Group> Writes::next_group() {
  auto group = std::make_shared<Group>();
  std::map<std::pair<const Statement*, std::string>, std::size_t> merged;
  for (std::size_t taken = 0; taken < core_.options().most_together && !queue_.empty();) {
    if (queue_.front()->alone && taken > 0) break;
    const WriteAskPtr ask = std::move(queue_.front());
    queue_.pop_front();
    if (ask->done) continue;
    ++taken;
    if (ask->many && !ask->apart && !ask->alone) {
      const auto [place, fresh] = merged.try_emplace({ask->many.get(), ask->tenant}, group->units.size());
      if (!fresh) {
        group->units[place->second].asks.push_back(ask);
        group->units[place->second].merged = true;
        continue;
      }
    }
    group->units.push_back({{ask}, group->units.size(), 0, false});
    if (ask->alone) break;
  }
  core_.queued.set(static_cast<double>(queue_.size()));
  if (group->units.empty()) return nullptr;
  // Stamps are locks until the commit: taken in one order everywhere, they cannot wait for each other in a ring.
  std::sort(group->units.begin(), group->units.end(), [](const Unit& a, const Unit& b) {
    return std::tie(a.asks.front()->first_lock, a.place) < std::tie(b.asks.front()->first_lock, b.place);
  });
  return group;
}

void Writes::add_calls(Trip& trip, Group& group) {
  std::set<std::pair<std::string, std::string>> news;
  for (Unit& unit : group.units) {
    unit.first_call = trip.calls.size();
    const WriteAsk& first = *unit.asks.front();
    for (const Mutation& m : first.batch.mutations)
      if (m.kind != Mutation::Kind::check && core_.announced(m.table)) news.emplace(first.tenant, m.table);
    if (!unit.merged) {
      for (const WriteAsk::Step& step : first.steps) {
        Call& call = trip.calls.emplace_back();
        call.statement = step.statement;
        call.parameters = step.parameters;
      }
      continue;
    }
    Call& call = trip.calls.emplace_back();
    call.statement = first.many;
    for (const Lead lead : call.statement->lead) {
      if (lead == Lead::tenant) call.parameters.add_text(first.tenant);
      else call.parameters.add_number(lead == Lead::now ? core_.now() : static_cast<std::int64_t>(unit.asks.size()));
    }
    std::vector<const Parameters*> rows;
    for (const WriteAskPtr& ask : unit.asks) rows.push_back(&ask->steps.front().parameters);
    std::size_t column = first.steps.front().statement->lead.size();
    for (const Kind kind : call.statement->bound)
      if (kind != Kind::none) call.parameters.add_array(rows, column++, kind);
  }
  if (news.empty()) return;
  Call& call = trip.calls.emplace_back();
  call.statement = announce_;
  call.parameters.add_text(group.stream);
  call.parameters.add_number(group.number);
  std::vector<Parameters> pairs;
  for (const auto& [tenant, table] : news) {
    pairs.emplace_back().add_text(tenant);
    pairs.back().add_text(table);
  }
  std::vector<const Parameters*> rows;
  for (const Parameters& pair : pairs) rows.push_back(&pair);
  call.parameters.add_array(rows, 0, Kind::text);
  call.parameters.add_array(rows, 1, Kind::text);
}

void Writes::send(Joined& link, const std::shared_ptr<Group>& group) {
  group->stream = link.stream;
  group->number = link.committed + 1;
  group->start = std::chrono::steady_clock::now();
  auto trip = std::make_unique<Trip>();
  trip->calls.emplace_back().statement = begin_;
  Call& count = trip->calls.emplace_back();
  count.statement = count_;
  count.parameters.add_text(group->stream);
  count.parameters.add_number(group->number);
  add_calls(*trip, *group);
  group->commit_call = trip->calls.size();
  trip->calls.emplace_back().statement = commit_;
  link.busy = true;
  ++under_way_;
  const auto owner = std::find_if(links_->all().begin(), links_->all().end(), [&](const auto& one) { return one.get() == &link; });
  trip->back = [self = weak_from_this(), joined = *owner, group](Trip& done) {
    if (const auto alive = self.lock()) alive->back(joined, group, done);
  };
  const std::shared_ptr<Link> keep = link.link;
  keep->send(std::move(trip));
}

void Writes::back(const std::shared_ptr<Joined>& link, const std::shared_ptr<Group>& group, Trip& trip) {
  const std::shared_ptr<Writes> alive = shared_from_this();
  --under_way_;
  link->busy = false;
  const Call& commit = trip.calls[group->commit_call];
  if (commit.result && std::string_view(PQcmdStatus(commit.result.get())) == "COMMIT") {
    link->committed = group->number;
    core_.commits.add();
    core_.commit_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - group->start).count());
    committed(*group, trip.calls);
  } else if (trip.lost && !trip.failed) {
    // Whether it was committed is not known here. The answer decides, and fences the stream.
    core_.doubts.add();
    auto calls = std::make_shared<std::vector<Call>>(std::move(trip.calls));
    doubts_.push_back(std::make_shared<Doubt>(Doubt{group, std::move(calls), false}));
  } else if (trip.lost) {
    again(*group);
  } else {
    // The transaction is open and refused: ended before anything else is said on this connection.
    auto end = std::make_unique<Trip>();
    end->calls.emplace_back().statement = rollback_;
    link->link->send(std::move(end));
    const std::string& state = trip.calls[*trip.failed].state;
    if (not_a_primary(state) || (*trip.failed == kCountCall && state == kDivisionByZero)) link->link->close();
    failed(*group, trip);
  }
  flush();
}

void Writes::committed(Group& group, std::vector<Call>& calls) {
  std::map<std::string, std::set<std::string>, std::less<>> changed;
  for (Unit& unit : group.units) {
    deliver(unit, calls);
    for (const WriteAskPtr& ask : unit.asks) {
      // Also of one whose asker was told no in the meantime: its time was over.
      core_.mutations.add(static_cast<double>(ask->outcome.size()));
      for (std::size_t i = 0; i < ask->outcome.size(); ++i)
        if (ask->outcome[i].count && ask->batch.mutations[i].kind != Mutation::Kind::check) changed[ask->tenant].insert(ask->batch.mutations[i].table);
    }
  }
  // Before anybody hears of it: what was remembered of these tables is not trusted from here on.
  for (const auto& [tenant, tables] : changed) core_.tell(tenant, tables);
  for (Unit& unit : group.units)
    for (const WriteAskPtr& ask : unit.asks) ask->finish();
}

void Writes::deliver(Unit& unit, std::vector<Call>& calls) {
  if (unit.merged) {
    const Call& call = calls[unit.first_call];
    for (std::size_t i = 0; i < unit.asks.size(); ++i) {
      Touched touched;
      touched.count = 1;
      if (!unit.asks[i]->batch.mutations.front().returning.empty()) {
        if (!call.result) {
          unit.asks[i]->error = gone_with_the_connection();
          unit.asks[i]->outcome.push_back(std::move(touched));
          continue;
        }
        touched.rows.push_back(row_of(*call.statement, call.result.get(), static_cast<int>(i)));
      }
      unit.asks[i]->outcome.push_back(std::move(touched));
    }
    return;
  }
  WriteAsk& ask = *unit.asks.front();
  for (std::size_t i = 0; i < ask.batch.mutations.size(); ++i) {
    const Mutation& m = ask.batch.mutations[i];
    const Call& call = calls[unit.first_call + i];
    if (const auto count = call.result ? std::nullopt : implied(ask.batch, m)) {
      ask.outcome.push_back(Touched{*count, {}});
      continue;
    }
    if (!call.result) {
      ask.error = gone_with_the_connection();
      ask.outcome.resize(ask.batch.mutations.size(), Touched{1, {}});  // the tables were touched all the same
      return;
    }
    Touched touched = touched_by(m, call);
    if (m.kind == Mutation::Kind::insert && touched.count == 0 && ask.batch.mutations.size() == 1) {
      ask.error = Error(Code::conflict, "It exists already.");
      return;
    }
    if (!met(m.expect, touched.count)) {
      ask.error = Error(m.otherwise);
      return;
    }
    ask.outcome.push_back(std::move(touched));
  }
}

void Writes::failed(Group& group, Trip& trip) {
  const std::size_t at = *trip.failed;
  const Call& call = trip.calls[at];
  Unit* culprit = nullptr;
  for (Unit& unit : group.units) {
    const std::size_t calls = unit.merged ? 1 : unit.asks.front()->steps.size();
    if (at >= unit.first_call && at < unit.first_call + calls) culprit = &unit;
  }
  core_.retries.add();
  if (!culprit || worth_a_retry(call.state) || not_a_primary(call.state)) {
    Error error = error_of(call.state, call.message);
    if (error.code == Code::read_only || error.code == Code::server_error) core_.failures.add();
    for (Unit& unit : group.units)
      for (const WriteAskPtr& ask : unit.asks)
        if (++ask->tries >= kMostTries || error.code == Code::read_only) ask->refuse(error);
    return again(group);
  }
  // The others first, then the one that could not: with what they did, its own answer stands.
  const bool alone = group.units.size() == 1 && !culprit->merged;
  if (!alone) {
    Unit unit = std::move(*culprit);
    group.units.erase(group.units.begin() + (culprit - group.units.data()));
    const bool short_of_time = call.state == "57014";
    for (auto ask = unit.asks.rbegin(); ask != unit.asks.rend(); ++ask) {
      (*ask)->apart = true;
      if (!unit.merged) (*ask)->alone = true;
      // What ran out of time once is not tried again: the others wait for this connection.
      if (short_of_time && !unit.merged) (*ask)->refuse(error_of(call.state, call.message));
      else queue_.push_front(*ask);
    }
    return again(group);
  }
  WriteAsk& ask = *culprit->asks.front();
  const std::size_t step = at - culprit->first_call;
  if (call.state == kDivisionByZero && call.statement->guarded) return ask.refuse(Error(ask.batch.mutations[step].otherwise));
  ask.stale = schema_changed(call.state);
  Error error = error_of(call.state, call.message);
  if (error.code == Code::read_only) core_.failures.add();
  ask.refuse(std::move(error));
}

/// Nothing of it was done: back in front of the queue, in order.
void Writes::again(Group& group) {
  for (auto unit = group.units.rbegin(); unit != group.units.rend(); ++unit)
    for (auto ask = unit->asks.rbegin(); ask != unit->asks.rend(); ++ask)
      if (!(*ask)->done) queue_.push_front(*ask);
}

void Writes::ask_about(Joined& link, std::size_t index) {
  const std::shared_ptr<Doubt> doubt = doubts_[index];
  doubt->asked = true;
  auto trip = std::make_unique<Trip>();
  Call& call = trip->calls.emplace_back();
  call.statement = fence_;
  call.parameters.add_text(doubt->group->stream);
  link.busy = true;
  ++under_way_;
  const auto owner = std::find_if(links_->all().begin(), links_->all().end(), [&](const auto& one) { return one.get() == &link; });
  trip->back = [self = weak_from_this(), joined = *owner, doubt](Trip& done) {
    const auto alive = self.lock();
    if (!alive) return;
    --alive->under_way_;
    joined->busy = false;
    const Call& answered = done.calls.front();
    if (!answered.result || done.lost) {  // a fence whose own commit is not known may yet come undone
      doubt->asked = false;  // asked again, by this connection or another
      if (!done.lost && not_a_primary(answered.state)) joined->link->close();
    } else {
      std::erase(alive->doubts_, doubt);
      const bool known = PQntuples(answered.result.get()) > 0;
      alive->resolved(*doubt, known ? std::get<std::int64_t>(cell_of(answered.result.get(), 0, 0)) : 0);
    }
    alive->flush();
  };
  const std::shared_ptr<Link> keep = link.link;
  keep->send(std::move(trip));
}

void Writes::resolved(const Doubt& doubt, std::int64_t last) {
  if (last >= doubt.group->number) {
    core_.commits.add();
    return committed(*doubt.group, *doubt.calls);
  }
  core_.retries.add();
  again(*doubt.group);
}

void Writes::look_at_time(std::chrono::steady_clock::time_point now) {
  for (const std::shared_ptr<Ask>& ask : timed_.overdue(now)) {
    ask->refuse(Error(links_->trouble().empty() ? Code::timeout : Code::overloaded, "The server is busy.", links_->trouble()));
  }
  // A doubt nobody waits for any more is let go: what it did was not acknowledged.
  std::erase_if(doubts_, [](const std::shared_ptr<Doubt>& doubt) {
    return std::all_of(doubt->group->units.begin(), doubt->group->units.end(), [](const Unit& unit) {
      return std::all_of(unit.asks.begin(), unit.asks.end(), [](const WriteAskPtr& ask) { return ask->done; });
    });
  });
  links_->look_after(core_.options().statement_limit * 2);
}

}  // namespace mandate::store::postgres
