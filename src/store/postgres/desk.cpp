#include "store/postgres/desk.h"

namespace mandate::store::postgres {
namespace {

constexpr std::size_t kMostStatements = 4000, kMostTables = 20'000;
constexpr std::chrono::milliseconds kLookEvery{50};

std::string table_key(std::string_view tenant, std::string_view table) {
  std::string key(tenant);
  key += '\0';
  key += table;
  return key;
}

Guard guard_for(const Mutation& m, bool alone) {
  if (m.kind == Mutation::Kind::check) return Guard::exact;
  if (m.kind == Mutation::Kind::insert || m.expect == Mutation::Expect::anything) return Guard::none;
  if (!alone || m.expect == Mutation::Expect::none) return Guard::exact;
  // A single statement that touched too few rows changed nothing that had to be undone.
  return m.expect == Mutation::Expect::one && m.kind != Mutation::Kind::upsert ? Guard::at_most : Guard::none;
}

}  // namespace

Desk::Desk(Loop& loop, Core& core)
    : loop_(loop), core_(core), reads_(std::make_shared<Reads>(loop, core)), writes_(std::make_shared<Writes>(loop, core)) {}

void Desk::start() {
  reads_->start();
  writes_->start();
}

void Desk::close() {
  if (std::exchange(closed_, true)) return;
  timer_.reset();
  reads_->close();
  writes_->close();
}

TablePtr Desk::known(std::string_view tenant, std::string_view table) {
  if (const std::uint64_t now = core_.schema_version(); now != version_) {
    if (const auto tenants = core_.changed_since(version_)) {
      std::erase_if(tables_, [&](const auto& entry) { return tenants->contains(entry.first.substr(0, entry.first.find('\0'))); });
    } else {
      tables_.clear();
    }
    version_ = now;
  }
  std::string key = table_key(tenant, table);
  const auto found = tables_.find(key);
  if (found != tables_.end()) return found->second;
  TablePtr shared = core_.shared_table(table);
  if (shared) tables_.emplace(std::move(key), shared);
  return shared;
}

TablePtr Desk::keep(std::string_view tenant, const std::string& name, const std::vector<ColumnSpec>& columns) {
  auto table = std::make_shared<Table>();
  table->id = core_.next_id();
  table->name = name;
  table->sql = identifier(core_.schema_of(tenant)) + "." + identifier(name);
  for (const ColumnSpec& spec : columns) table->columns.push_back({spec.name, identifier(spec.name), kind_of(spec.type), false});
  if (tables_.size() >= kMostTables) tables_.clear();
  tables_.insert_or_assign(table_key(tenant, name), table);
  return table;
}

void Desk::forget(std::string_view tenant, std::string_view table) { tables_.erase(table_key(tenant, table)); }

StatementPtr Desk::named(Statement statement) {
  statement.name = "mandate_" + std::to_string(core_.next_id());
  return std::make_shared<const Statement>(std::move(statement));
}

/// The values of shape_ as parameters of `statement`.
void Desk::fill(const Statement& statement, std::string_view tenant, Parameters& out, Result<void>& filled) const {
  for (const Lead lead : statement.lead) {
    if (lead == Lead::tenant) out.add_text(tenant);
    else out.add_number(lead == Lead::now ? core_.now() : 1);
  }
  for (std::size_t i = 0; i < statement.bound.size() && filled.ok(); ++i) {
    if (statement.bound[i] == Kind::none) continue;
    const Bound& bound = shape_.bound[i];
    if (bound.value) filled = out.add(*bound.value, statement.bound[i]);
    else out.add_number(bound.number);
  }
}

Result<ReadAskPtr> Desk::ask_for(std::string_view tenant, const Plan& plan, Wanted wanted, const TablePtr& table) {
  shape_.clear();
  shape_.key = std::to_string(table->id) + '/';
  read_shape(plan, wanted, shape_);
  auto found = statements_.find(shape_.key);
  if (found == statements_.end()) {
    Known fresh;
    TRY(Statement one, compile(plan, wanted, table, core_.options().schema));
    const bool has_parameters = !one.types.empty();
    fresh.one = named(std::move(one));
    if (wanted == Wanted::first && has_parameters && core_.options().most_together > 1) {
      TRY(Statement many, compile_many(plan, table, core_.options().schema));
      fresh.many = named(std::move(many));
    }
    if (statements_.size() >= kMostStatements) statements_.clear();
    found = statements_.emplace(shape_.key, std::move(fresh)).first;
  }
  auto ask = std::make_shared<ReadAsk>();
  ask->tenant = tenant;
  ask->statement = found->second.one;
  ask->many = found->second.many;
  const auto now = std::chrono::steady_clock::now();
  if (plan.deadline < now) return Error(Code::timeout, "The server is busy.");
  ask->until = std::min(plan.deadline, now + core_.options().statement_limit + std::chrono::seconds(1));
  ask->hurried = ask->alone = plan.deadline < now + core_.options().statement_limit;
  Result<void> filled;
  fill(*ask->statement, tenant, ask->parameters, filled);
  CHECK_OK(std::move(filled));
  return ask;
}

Result<void> Desk::add_step(WriteAsk& ask, const Mutation& mutation, const TablePtr& table) {
  const bool alone = ask.batch.mutations.size() == 1;
  const Guard guard = guard_for(mutation, alone);
  const bool forgiving = alone && mutation.kind == Mutation::Kind::insert;
  shape_.clear();
  shape_.key = std::to_string(table->id) + '/' + static_cast<char>('0' + static_cast<int>(guard) * 2 + forgiving) +
               static_cast<char>('0' + static_cast<int>(mutation.expect));
  read_shape(mutation, shape_);
  for (std::size_t i = 0; i < shape_.bound.size(); ++i)
    if (shape_.bound[i].value && std::holds_alternative<Stamp>(*shape_.bound[i].value)) shape_.key += '\xff' + std::to_string(i);
  auto found = statements_.find(shape_.key);
  if (found == statements_.end()) {
    Known fresh;
    TRY(Statement one, compile(mutation, table, core_.options().schema, guard, forgiving));
    const bool mergeable = forgiving && core_.options().most_together > 1 &&
                           std::any_of(one.bound.begin(), one.bound.end(), [](Kind kind) { return kind != Kind::none; });
    fresh.one = named(std::move(one));
    if (mergeable) {
      TRY(Statement many, compile_many(mutation, table, core_.options().schema));
      fresh.many = named(std::move(many));
    }
    if (statements_.size() >= kMostStatements) statements_.clear();
    found = statements_.emplace(shape_.key, std::move(fresh)).first;
  }
  WriteAsk::Step step{found->second.one, {}};
  Result<void> filled;
  fill(*step.statement, ask.tenant, step.parameters, filled);
  CHECK_OK(std::move(filled));
  ask.steps.push_back(std::move(step));
  ask.many = alone ? found->second.many : nullptr;
  if (ask.first_lock.empty()) ask.first_lock = table_key(ask.tenant, mutation.table);
  return {};
}

Result<void> Desk::push(ReadAskPtr ask) {
  if (closed_) return Error(Code::overloaded, "The server is busy.", "the store closes");
  CHECK_OK(reads_->push(std::move(ask)));
  flush_at_end_of_tick();
  return {};
}

Result<void> Desk::push(WriteAskPtr ask) {
  if (closed_) return Error(Code::overloaded, "The server is busy.", "the store closes");
  CHECK_OK(writes_->push(std::move(ask)));
  flush_at_end_of_tick();
  return {};
}

void Desk::flush_at_end_of_tick() {
  if (std::exchange(scheduled_, true)) return;
  loop_.at_end_of_tick([self = weak_from_this()] {
    const auto alive = self.lock();
    if (!alive) return;
    alive->scheduled_ = false;
    if (alive->closed_) return;
    alive->reads_->flush();
    alive->writes_->flush();
    alive->watch_time();
  });
}

/// While something waits, somebody looks at the clock.
void Desk::watch_time() {
  if (timer_ || closed_ || (reads_->idle() && writes_->idle())) return;
  timer_ = loop_.after(kLookEvery, [self = weak_from_this()] {
    const auto alive = self.lock();
    if (!alive) return;
    alive->timer_.reset();
    const auto now = std::chrono::steady_clock::now();
    alive->reads_->look_at_time(now);
    alive->writes_->look_at_time(now);
    alive->watch_time();
  });
}

}  // namespace mandate::store::postgres
