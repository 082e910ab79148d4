#include "tests/fault/load.h"

#include <libpq-fe.h>

#include <algorithm>
#include <random>

#include "store/single_use.h"
#include "tests/fault/one_cluster.h"

namespace mandate::test {
namespace {

using namespace store;
using Steady = std::chrono::steady_clock;

constexpr int kRegisters = 5;
constexpr std::size_t kLatest = 40;

ExprPtr text_equals(const char* name, std::string value) { return equals(name, std::move(value)); }

/// A cluster for the test itself, with a loop.
struct Look {
  explicit Look(const std::string& url) : cluster(at(url)) {
    if (const auto refused = cluster.open()) throw std::runtime_error("the database cannot be opened: " + std::string(name(*refused)));
  }
  std::vector<std::string> ids(const char* table) {
    Plan plan;
    plan.table = table;
    plan.select = {"id"};
    std::vector<std::string> out;
    auto listed = run(loop, store().list(plan, [&](const RowView& row) { return out.emplace_back(row.text(0)), true; }));
    if (!listed.ok()) throw std::runtime_error(listed.error().detail);
    return out;
  }

  Store& store() { return cluster.store(); }

  TestLoop loop;
  OneCluster cluster;
};

}  // namespace

void Tokens::add(std::string token) {
  const std::lock_guard lock(mutex_);
  latest_.push_back(std::move(token));
  if (latest_.size() > kLatest) latest_.pop_front();
}

std::optional<std::string> Tokens::some(std::size_t chance) const {
  const std::lock_guard lock(mutex_);
  if (latest_.empty()) return std::nullopt;
  return latest_[chance % latest_.size()];
}

void wait_for_the_last_transaction(const std::string& url) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> c(PQconnectdb(url.c_str()), PQfinish);
  for (const auto end = Steady::now() + std::chrono::seconds(30); Steady::now() < end;) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(
        PQexec(c.get(), "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"),
        PQclear);
    if (PQresultStatus(r.get()) == PGRES_TUPLES_OK && PQntuples(r.get()) == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("somebody is still connected to the database");
}

void prepare_tables(const std::string& url) {
  Look look(url);
  const auto must = [](const auto& result) {
    if (!result.ok()) throw std::runtime_error(result.error().hint + " " + result.error().detail);
  };
  must(look.cluster.cluster().migrate(kMigrations));
  must(run(look.loop, look.store().ensure_table("item", {{"id", Type::text, true}, {"n", Type::integer}})));
  must(run(look.loop,
           look.store().ensure_table("register", {{"id", Type::text, true}, {"version", Type::integer}, {"value", Type::text}})));
  for (const char* side : {"left_side", "right_side"})
    must(run(look.loop, look.store().ensure_table(side, {{"id", Type::text, true}, {"at", Type::integer}})));
  Batch batch;
  for (int i = 0; i < kRegisters; ++i)
    batch.add(insert("register", {{"id", std::to_string(i)}, {"version", std::int64_t{0}}, {"value", ""}}));
  must(run(look.loop, look.store().mutate(std::move(batch))));
}

Node::Node(const std::string& url, Shared& shared, NodeOptions options) : options_(std::move(options)), shared_(shared) {
  options_.postgres.url = url;
  options_.postgres.clock = &clock_;
  options_.postgres.random = &random_;
  auto opened = open_postgres(options_.postgres, log_, metrics_);
  if (!opened.ok()) throw std::runtime_error(opened.error().hint + " " + opened.error().detail);
  cluster_ = *std::move(opened);
  store_ = cluster_->tenant("demo");
  for (std::size_t i = 0; i < options_.loops; ++i) threads_.emplace_back([this, i] { run_loop(i); });
}

Node::~Node() {
  stop();
  store_.reset();
  cluster_.reset();
}

void Node::stop() {
  over_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Node::run_loop(std::size_t index) {
  TestLoop loop(index);
  std::size_t active = options_.clients;
  for (std::size_t i = 0; i < options_.clients; ++i) spawn(client(index * 100 + i), [&active](Result<void>) { --active; });
  loop.run_until([&] { return active == 0; }, std::chrono::seconds(600));
}

Task<void> Node::client(std::uint64_t seed) {
  std::mt19937 chance(static_cast<unsigned>(seed));
  const double all = static_cast<double>(options_.clients * options_.loops);
  const auto every =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(all / options_.writes_a_second));
  const auto first = std::chrono::milliseconds(chance() % static_cast<unsigned>(every.count() + 1));
  Task<void> offset = sleep_for(first);
  Result<void> begun = co_await offset;
  while (!over_) {
    const auto start = Steady::now();
    const std::size_t which = chance() % 5, what = chance();
    Task<void> act = which == 0   ? insert_row()
                     : which == 1 ? compare_and_set(what)
                     : which == 2 ? put_token()
                     : which == 3 ? take_token(what)
                                  : insert_pair(what);
    Result<void> done = co_await act;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - start);
    // A refusal that comes at once must not turn a client into a flood.
    const auto pause = std::max(every - took, std::chrono::milliseconds(5));
    Task<void> rest = sleep_for(pause);
    Result<void> rested = co_await rest;
  }
  co_return ok();
}

End Node::answered(const std::string& code, bool ok, Steady::time_point began) {
  End end = End::unknown;
  if (ok) end = End::ok;
  else if (code == name(Code::conflict) || code == name(Code::invalid_grant)) end = End::refused;
  if (ok) ++acknowledged_;
  const std::lock_guard lock(mutex_);
  answers_.push_back({began, Steady::now(), end, code});
  return end;
}

Task<End> Node::write(Batch batch) {
  const auto began = Steady::now();
  batch.deadline = began + options_.deadline;
  Task<Outcome> writing = store_->mutate(std::move(batch));
  Result<Outcome> done = co_await writing;
  std::string code;
  if (!done.ok()) code = name(done.error().code);
  co_return answered(code, done.ok(), began);
}

Task<void> Node::insert_row() {
  const std::string id = fresh("row");
  Batch batch;
  batch.add(insert("item", {{"id", id}, {"n", std::int64_t{1}}}));
  const auto entry = shared_.rows.begin({Operation::What::insert, id});
  Task<End> writing = write(std::move(batch));
  Result<End> end = co_await writing;
  shared_.rows.finish(entry, *end);
  co_return ok();
}

Task<void> Node::compare_and_set(std::size_t chance) {
  const std::string id = std::to_string(chance % kRegisters), value = fresh("value");
  Plan plan;
  plan.table = "register";
  plan.where = text_equals("id", id);
  plan.deadline = Steady::now() + options_.deadline;
  const auto read = shared_.registers.begin({Operation::What::read, id});
  Task<std::optional<Row>> reading = store_->get(std::move(plan));
  const Result<std::optional<Row>> row = co_await reading;
  if (!row.ok() || !*row) {
    shared_.registers.finish(read, row.ok() ? End::refused : End::unknown);
    co_return ok();
  }
  const std::int64_t version = (*row)->integer("version");
  shared_.registers.finish(read, version, std::string((*row)->text("value")));
  Mutation change =
      update("register", both(text_equals("id", id), equals("version", version)), {{"version", version + 1}, {"value", value}});
  change.expect = Mutation::Expect::one;
  Batch batch;
  batch.add(std::move(change));
  const auto entry = shared_.registers.begin({Operation::What::write, id, value, version});
  Task<End> writing = write(std::move(batch));
  Result<End> end = co_await writing;
  shared_.registers.finish(entry, *end);
  co_return ok();
}

Task<void> Node::put_token() {
  const std::string token = fresh("token");
  Batch batch;
  batch.add(file_single_use("code", {token, {}, INT64_MAX}));
  const auto entry = shared_.tokens.begin({Operation::What::put, token});
  Task<End> writing = write(std::move(batch));
  Result<End> end = co_await writing;
  shared_.tokens.finish(entry, *end);
  if (*end == End::ok) shared_.pool.add(token);
  co_return ok();
}

Task<void> Node::take_token(std::size_t chance) {
  const std::optional<std::string> token = shared_.pool.some(chance);
  if (!token) co_return ok();
  Batch batch;
  batch.add(take_single_use("code", *token, "", 0, Code::invalid_grant));
  const auto entry = shared_.tokens.begin({Operation::What::take, *token});
  Task<End> writing = write(std::move(batch));
  Result<End> end = co_await writing;
  shared_.tokens.finish(entry, *end);
  co_return ok();
}

/// What redeeming a code is: the taking guards the effects.
Task<void> Node::insert_pair(std::size_t chance) {
  const std::optional<std::string> token = shared_.pool.some(chance);
  if (!token) co_return ok();
  const std::string id = fresh("pair");
  Batch batch;
  batch.add(take_single_use("code", *token, "", 0, Code::invalid_grant));
  batch.add(insert("left_side", {{"id", id}, {"at", Stamp{}}}));
  batch.add(insert("right_side", {{"id", id}, {"at", Stamp{}}}));
  const auto taking = shared_.tokens.begin({Operation::What::take, *token});
  const auto entry = shared_.pairs.begin({Operation::What::insert, id});
  Task<End> writing = write(std::move(batch));
  Result<End> end = co_await writing;
  shared_.tokens.finish(taking, *end);
  shared_.pairs.finish(entry, *end);
  co_return ok();
}

bool Node::writes(int more, std::chrono::seconds limit) const {
  const int wanted = acknowledged_ + more;
  for (const auto end = Steady::now() + limit; acknowledged_ < wanted; std::this_thread::sleep_for(std::chrono::milliseconds(2)))
    if (Steady::now() > end) return false;
  return true;
}

double Node::counter(std::string_view name) const {
  const std::string text = metrics_.prometheus_text(), line = "\n" + std::string(name) + " ";
  const std::size_t at = text.find(line);
  return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size()));
}

Node::Figures Node::figures(Steady::time_point since) const {
  const std::lock_guard lock(mutex_);
  Figures out;
  std::vector<Steady::time_point> moments{since};
  for (const Answered& one : answers_) {
    if (one.ended < since) continue;
    if (one.began >= since)
      out.slowest = std::max(out.slowest, std::chrono::duration_cast<std::chrono::milliseconds>(one.ended - one.began));
    if (one.end == End::ok) moments.push_back(one.ended), ++out.acknowledged;
    else if (one.end == End::refused) ++out.refused;
    else ++out.unknown, ++out.codes[one.code];
  }
  std::sort(moments.begin(), moments.end());
  for (std::size_t i = 1; i < moments.size(); ++i)
    out.longest_gap =
        std::max(out.longest_gap, std::chrono::duration_cast<std::chrono::milliseconds>(moments[i] - moments[i - 1]));
  return out;
}

std::string anomalies(const std::string& url, const Shared& shared) {
  wait_for_the_last_transaction(url);
  Look look(url);
  std::string out;
  const auto say = [&](const Anomalies& found) {
    for (const std::string& line : found) out += line + "\n";
  };
  say(check_inserts(shared.rows.all(), look.ids("item")));
  std::vector<std::string> left = look.ids("left_side"), right = look.ids("right_side");
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  if (left != right) out += "a batch happened by halves\n";
  say(check_inserts(shared.pairs.all(), left));

  Plan plan;
  plan.table = "register";
  std::map<std::string, Versioned> last;
  auto registers = run(look.loop, rows(look.store(), plan));
  if (!registers.ok()) throw std::runtime_error(registers.error().detail);
  for (const Row& row : *registers) last[std::string(row.text("id"))] = {row.integer("version"), std::string(row.text("value"))};
  say(check_registers(shared.registers.all(), last));

  const std::vector<Operation> tokens = shared.tokens.all();
  std::set<std::string> there;
  std::size_t waiting = 0;
  for (const Operation& o : tokens) {
    if (o.what != Operation::What::put) continue;
    ++waiting;
    spawn(peek(look.store(), "code", o.key, "", 0), [&, key = o.key](Result<std::optional<JsonObject>> found) {
      if (!found.ok()) out += "a token cannot be read: " + found.error().detail + "\n";
      else if (*found) there.insert(key);
      --waiting;
    });
  }
  look.loop.run_until([&] { return waiting == 0; });
  say(check_single_use(tokens, there));
  return out;
}

}  // namespace mandate::test
