#include "tables/tsql/run.h"

#include "base/url.h"
#include "tables/core.h"
#include "tables/ids.h"
#include "tables/tsql/ground.h"
#include "tables/tsql/parser.h"
#include "tables/tsql/pushdown.h"
#include "tables/tsql/write.h"

namespace mandate::tables::tsql {
namespace {

using Role = TableInfo::Role;

constexpr std::chrono::seconds kStatementTime{5};
constexpr std::size_t kMostRead = 200'000;       // rows of one statement
constexpr std::size_t kMostReadBytes = 32 << 20;
constexpr std::size_t kSmall = 2000;             // row combinations that a plain statement goes through on the loop itself
constexpr int kMostTries = 5;

Error too_much_read() { return Error(Code::payload_too_large, "The SQL looks at more rows than it may: " + std::to_string(kMostRead) + ". A narrower WHERE helps."); }
Error too_many_changes() { return Error(Code::payload_too_large, "The SQL changes more than " + std::to_string(kMostChanges) + " rows at once. TOP (n) makes smaller steps."); }

/// Without functions, subselects, lists and patterns a row costs next to nothing: all those have brackets, or LIKE.
bool is_plain(std::string_view text) { return text.find('(') == std::string_view::npos && ascii_lower(text).find("like") == std::string::npos; }

/// What one try of one statement came to.
struct Outcome {
  std::optional<ResultSet> set;
  AllChanges changes;
  std::int64_t touched = 0;
  Value identity;
};

/// One call of run(): what its statements share.
class Runner {
 public:
  Runner(Tables& tables, OperationContext context, std::vector<Value> values, std::shared_ptr<Session> session)
      : impl_(tables.impl()), context_(std::move(context)), values_(std::move(values)), session_(std::move(session)) {}

  Task<Results> all(std::string text) {
    CO_TRY(Script script, parse(text, context_.service->name));
    if (script.parameters > values_.size()) co_return Error(Code::bad_request, "There are more question marks in the SQL than values.");
    if (script.parameters < values_.size()) co_return Error(Code::bad_request, "There are more values than question marks in the SQL.");
    plain_ = is_plain(text);
    Results out;
    for (Statement& each : script.statements) {
      Task<Outcome> task = one(each);
      CO_TRY(Outcome done, co_await task);
      session_->touched = out.touched = done.touched;
      if (!is_null(done.identity)) session_->identity = std::move(done.identity);
      if (done.set) out.sets.push_back(*std::move(done.set));
    }
    co_return out;
  }

  Task<void> commit_transaction() {
    if (!session_->in_transaction) co_return Error(Code::bad_request, "There is no transaction to commit.");
    session_->in_transaction = false;
    const AllChanges changes = std::exchange(session_->changes, {});
    Task<void> writing = write(impl_, context_, changes);
    Result<void> written = co_await writing;
    if (!written.ok() && written.error().code == Code::precondition_failed)
      co_return Error(Code::conflict, "The transaction was undone: others changed its rows meanwhile. Run it again.");
    co_return written;
  }

 private:
  Task<Outcome> one(Statement& statement) {
    switch (statement.kind) {
      case Statement::Kind::begin: co_return plain(tsql::begin(*session_));
      case Statement::Kind::rollback: co_return plain(tsql::rollback(*session_));
      case Statement::Kind::commit: {
        Task<void> committing = commit_transaction();
        Result<void> committed = co_await committing;
        co_return plain(std::move(committed));
      }
      default: break;
    }
    (statement.kind == Statement::Kind::select ? impl_.reads : impl_.writes).add();
    Known known;
    for (const std::string& name : tables_of(statement)) {
      Task<TablePtr> looking = table(name);
      CO_TRY(TablePtr found, co_await looking);
      if (found) known.emplace(name, std::move(found));
    }
    CO_TRY(const std::vector<Load> loads, resolve(statement, known, values_));
    until_ = std::min(context_.deadline, std::chrono::steady_clock::now() + kStatementTime);
    for (int tries = 1;; ++tries) {
      around_ = Surroundings{impl_.clock.now_ms(), &impl_.random, session_->identity, session_->touched};
      Task<Outcome> trying = attempt(statement, loads);
      CO_TRY(Outcome done, co_await trying);
      if (session_->in_transaction) {
        CO_CHECK(take_over(done.changes));
        co_return done;
      }
      Task<void> writing = write(impl_, context_, done.changes);
      Result<void> written = co_await writing;
      if (written.ok()) co_return done;
      if (written.error().code != Code::precondition_failed) co_return written.error();
      if (tries >= kMostTries) co_return Error(Code::overloaded, "The rows are changing. Try again.");
    }
  }

  static Result<Outcome> plain(Result<void> done) {
    CHECK_OK(std::move(done));
    return Outcome{};
  }

  /// Null when the service has no such table.
  Task<TablePtr> table(std::string name) {
    const tenant::Table* found = context_.service->table(name);
    if (!found) co_return TablePtr();
    OperationContext there = context_;
    there.table = found;
    Task<Catalogue::SchemaPtr> look = impl_.catalogue.get(there);
    CO_TRY(const Catalogue::SchemaPtr schema, co_await look);
    const Ground& made = grounds_[schema->physical] = ground_of(*found, schema);
    co_return made.info;
  }

  const Changes* changes_in_transaction(const TableInfo& table) const {
    const auto found = session_->changes.find(table.physical);
    return found == session_->changes.end() || found->second.rows().empty() ? nullptr : &found->second;
  }

  /// Reads what the statement needs, runs it over that.
  Task<Outcome> attempt(const Statement& statement, const std::vector<Load>& loads) {
    auto loaded = std::make_shared<std::vector<Rows>>(loads.size());
    std::size_t combinations = 1, rows_read = 0, bytes_read = 0;
    for (std::size_t i = 0; i < loads.size(); ++i) {
      if (!loads[i].select) continue;
      Reading reading = reading_of(loads[i], values_, around_);
      const Changes* mine = changes_in_transaction(*loads[i].table);
      if (!mine && loads.size() == 1) {
        if (statement.kind == Statement::Kind::select && only_counts(*statement.query, reading)) {
          Task<Outcome> counting = counted(statement, std::move(reading));
          Result<Outcome> done = co_await counting;
          co_return done;
        }
        narrow(reading, *statement.query, loads[i], values_, around_);
      }
      Task<Rows> task = read(loads[i], std::move(reading), rows_read, bytes_read);
      CO_TRY((*loaded)[i], co_await task);
      if (mine) mine->lay_over((*loaded)[i]);
      combinations = std::min(combinations * ((*loaded)[i].size() + 1), kSmall * kSmall);
    }
    std::function<Result<Outcome>()> work = [this, &statement, &loads, loaded] { return perform(statement, loads, *loaded); };
    Result<Outcome> done = Outcome{};
    if ((plain_ && combinations <= kSmall) || !Loop::current()) {
      done = work();
    } else {
      Task<Outcome> working = impl_.workers().run<Outcome>(work, until_);
      done = co_await working;
    }
    if (!done.ok()) co_return done;
    Task<void> numbering = number(*done);
    CO_CHECK(co_await numbering);
    co_return done;
  }

  Task<Outcome> counted(const Statement& statement, Reading reading) {
    store::Plan plan = std::move(reading.plan);
    plan.order.clear();
    plan.limit = 0;
    plan.count = true;
    plan.deadline = until_;
    Task<store::Store::Listed> counting = context_.here.store->list(std::move(plan), [](const store::RowView&) { return true; });
    CO_TRY(const store::Store::Listed listed, co_await counting);
    Outcome out;
    out.touched = 1;
    out.set = ResultSet{statement.query->names, statement.query->types, {}};
    JsonArray row;
    for (std::size_t i = 0; i < statement.query->names.size(); ++i) row.push_back(listed.total.value_or(0));
    out.set->rows.push_back(std::move(row));
    co_return out;
  }

  Task<Rows> read(const Load& load, Reading reading, std::size_t& rows_read, std::size_t& bytes_read) {
    const TableInfo& table = *load.table;
    const std::vector<std::size_t> slots = std::move(reading.slots);
    reading.plan.deadline = until_;
    reading.plan.most_bytes = kMostReadBytes - std::min(bytes_read, kMostReadBytes - 1);
    Rows out;
    bool too_many = false;
    const auto each = [&](const store::RowView& row) {
      if (++rows_read > kMostRead) {
        too_many = true;
        return false;
      }
      Row& made = out.emplace_back(table.columns.size());  // as wide as the table, whatever is read of it
      for (std::size_t place = 0; place < slots.size(); ++place) {
        made[slots[place]] = value_in(row, place, table.columns[slots[place]]);
        if (const auto* text = std::get_if<std::string>(&made[slots[place]])) bytes_read += text->size();
      }
      bytes_read += sizeof(Row) + made.size() * sizeof(Value);
      return bytes_read <= kMostReadBytes;
    };
    Task<store::Store::Listed> listing = context_.here.store->list(std::move(reading.plan), each);
    CO_TRY(const store::Store::Listed listed, co_await listing);
    if (too_many || listed.cut || bytes_read > kMostReadBytes) co_return too_much_read();
    co_return out;
  }

  /// On a loop or in the pool.
  Result<Outcome> perform(const Statement& statement, const std::vector<Load>& loads, const std::vector<Rows>& loaded) {
    Cost cost;
    cost.until = until_;
    Machine machine(loaded, values_, around_, cost);
    Outcome out;
    switch (statement.kind) {
      case Statement::Kind::select: {
        TRY(const Rows rows, machine.rows(*statement.query));
        out.touched = static_cast<std::int64_t>(rows.size());
        out.set = ResultSet{statement.query->names, statement.query->types, {}};
        out.set->rows.reserve(rows.size());
        for (const Row& row : rows) {
          JsonArray cells;
          cells.reserve(row.size());
          for (const Value& value : row) cells.push_back(json_of(value));
          out.set->rows.push_back(std::move(cells));
        }
        return out;
      }
      case Statement::Kind::insert: return insert(machine, statement, loads);
      default: return change(machine, statement, loads, loaded);
    }
  }

  Result<Outcome> insert(Machine& machine, const Statement& statement, const std::vector<Load>& loads) {
    const TablePtr& table = loads[statement.load].table;
    Rows given;
    if (statement.query) {
      TRY(given, machine.rows(*statement.query));
    }
    for (const std::vector<ExprPtr>& values : statement.rows) {
      Row& row = given.emplace_back();
      for (const ExprPtr& e : values) {
        Value value;
        if (e) {
          TRY(value, machine.value(*e, nullptr));
        }
        row.push_back(std::move(value));
      }
    }
    if (statement.defaults) given.emplace_back();
    if (given.size() > kMostChanges) return too_many_changes();
    Outcome out;
    out.touched = static_cast<std::int64_t>(given.size());
    Changes& changes = changes_of(out.changes, table);
    const Ground& ground = grounds_.at(table->physical);
    const std::size_t id = table->slot_of(Role::id);
    std::int64_t placeholder = 0;
    for (Row& values : given) {
      Row row(table->columns.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t slot = statement.slots[i];
        TRY(row[slot], fitted(ground, slot, std::move(values[i])));
      }
      CHECK_OK(completed(ground, statement.slots, row));
      if (table->integer_id) {
        row[id] = --placeholder;  // until number()
      } else if (is_null(row[id])) {
        row[id] = impl_.random.uuid7(impl_.clock.now_ms());
      } else if (!valid_id(std::get<std::string>(row[id]))) {
        return Error(Code::bad_request, "A row's id has characters that no id may have, or is too long.");
      }
      row[table->slot_of(Role::created)] = row[table->slot_of(Role::updated)] = Moment{around_.now};
      row[table->slot_of(Role::version)] = wire_version(around_.now);
      if (is_null(row[table->slot_of(Role::deleted)])) row[table->slot_of(Role::deleted)] = false;
      CHECK_OK(changes.insert(std::move(row)));
    }
    return out;
  }

  /// Whole-number ids are asked for where one can wait.
  Task<void> number(Outcome& done) {
    for (auto& [name, changes] : done.changes) {
      const TablePtr table = changes.table();
      if (!table->integer_id) continue;
      std::vector<Row> fresh;
      bool any = false;
      Changes numbered(table);
      for (auto it = changes.rows().rbegin(); it != changes.rows().rend(); ++it)
        if (it->second.state == Changes::Pending::State::inserted) any = true, fresh.push_back(it->second.row);
      if (!any) continue;
      const std::size_t id = table->slot_of(Role::id);
      // In the order they were written down: -1, -2 …
      std::sort(fresh.begin(), fresh.end(), [id](const Row& a, const Row& b) { return std::get<std::int64_t>(a[id]) > std::get<std::int64_t>(b[id]); });
      OperationContext there = context_;
      there.table = context_.service->table(table->name);
      for (Row& row : fresh) {
        Task<std::int64_t> next = impl_.catalogue.next_id(there);
        CO_TRY(const std::int64_t made, co_await next);
        row[id] = made;
        done.identity = made;
        CO_CHECK(numbered.insert(std::move(row)));
      }
      changes = std::move(numbered);
    }
    co_return ok();
  }

  Result<Outcome> change(Machine& machine, const Statement& statement, const std::vector<Load>& loads, const std::vector<Rows>&) {
    const Select& select = statement.query->selects.front();
    const TablePtr& table = loads[select.sources[statement.target].load].table;
    TRY(const Tuples tuples, machine.tuples(select));
    Outcome out;
    Changes& changes = changes_of(out.changes, table);
    const Ground& ground = grounds_.at(table->physical);
    std::set<const Row*> seen;
    for (std::size_t i = 0; i < tuples.size(); ++i) {
      const Row* row = tuples.at(i)[statement.target];
      if (!row || !seen.insert(row).second) continue;  // a row that several match is changed once
      if (seen.size() > kMostChanges) return too_many_changes();
      if (statement.kind == Statement::Kind::remove) {
        changes.remove(*row);
        continue;
      }
      Row after = *row;
      std::set<std::size_t> slots;
      for (const Assignment& one : statement.set) {
        Value value;
        if (one.value) {
          TRY(value, machine.value(*one.value, tuples.at(i)));
        }
        TRY(after[one.slot], fitted(ground, one.slot, std::move(value)));
        if (table->columns[one.slot].role == Role::deleted && is_null(after[one.slot])) after[one.slot] = false;
        slots.insert(one.slot);
      }
      changes.update(*row, std::move(after), slots);
    }
    out.touched = static_cast<std::int64_t>(seen.size());
    return out;
  }

  /// What a statement did inside a transaction becomes a part of it.
  Result<void> take_over(const AllChanges& done) {
    if (count_of(session_->changes) + count_of(done) > kMostChanges) return too_many_changes();
    AllChanges all = session_->changes;
    for (const auto& [name, changes] : done) {
      Changes& mine = changes_of(all, changes.table());
      for (const auto& [id, pending] : changes.rows()) {
        switch (pending.state) {
          case Changes::Pending::State::inserted: CHECK_OK(mine.insert(pending.row)); break;
          case Changes::Pending::State::updated: {
            Row before = pending.row;
            before[changes.table()->slot_of(Role::updated)] = Moment{pending.base};
            mine.update(before, pending.row, pending.slots);
            break;
          }
          case Changes::Pending::State::removed: mine.remove(pending.row); break;
        }
      }
    }
    session_->changes = std::move(all);
    return {};
  }

  Tables::Impl& impl_;
  const OperationContext context_;
  const std::vector<Value> values_;
  const std::shared_ptr<Session> session_;
  std::map<std::string, Ground, std::less<>> grounds_;  ///< of the tables met, by their names in the store
  Surroundings around_;
  Deadline until_ = kNoDeadline;
  bool plain_ = false;  ///< see is_plain
};

/// Busy for as long as it lives.
struct Busy {
  explicit Busy(std::shared_ptr<Session> s) : session(std::move(s)) { session->busy = true; }
  ~Busy() { session->busy = false; }
  Busy(const Busy&) = delete;
  std::shared_ptr<Session> session;
};

Error busy() { return Error(Code::bad_request, "The connection is busy with another statement."); }

}  // namespace

Task<Results> run(Tables& tables, OperationContext context, std::string text, std::vector<Value> values, std::shared_ptr<Session> session) {
  if (session->busy) co_return busy();
  const Busy mark(session);
  // On the heap: a worker may still look at it when the caller has gone.
  const auto runner = std::make_shared<Runner>(tables, std::move(context), std::move(values), session);
  Task<Results> running = runner->all(std::move(text));
  Result<Results> results = co_await running;
  tables.impl().sql.add();
  if (!results.ok()) tables.impl().sql_refused.add();
  co_return results;
}

Task<void> commit(Tables& tables, OperationContext context, std::shared_ptr<Session> session) {
  if (session->busy) co_return busy();
  const Busy mark(session);
  const auto runner = std::make_shared<Runner>(tables, std::move(context), std::vector<Value>(), session);
  Task<void> committing = runner->commit_transaction();
  Result<void> committed = co_await committing;
  co_return committed;
}

Result<void> begin(Session& session) {
  if (session.in_transaction) return Error(Code::bad_request, "The connection is in a transaction already.");
  session.in_transaction = true;
  return {};
}

Result<void> rollback(Session& session) {
  if (!session.in_transaction) return Error(Code::bad_request, "There is no transaction to roll back.");
  session.in_transaction = false;
  session.changes.clear();
  return {};
}

}  // namespace mandate::tables::tsql
