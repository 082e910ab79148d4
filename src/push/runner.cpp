#include "push/runner.h"

#include <map>
#include <set>

#include "push/expand.h"
#include "push/sends.h"
#include "store/lease.h"

namespace mandate::push {
namespace {

constexpr std::chrono::milliseconds kPause{1000}, kLease{10'000};
constexpr std::int64_t kAtOnce = 100, kLooked = 50;
constexpr int kSweepEvery = 600;  ///< rounds

JsonObject object_of(std::string_view json) {
  Result<Json> read = parse_json(json);
  return read.ok() && read->is_object() ? std::move(read->get_object()) : JsonObject();
}

Task<std::vector<store::Row>> sends_in(store::Store& store, std::string state, std::int64_t most) {
  store::Plan plan;
  plan.table = "push_sends";
  plan.where = store::equals("state", state);
  plan.order.push_back({store::column("id", store::Type::text), false});
  plan.limit = most;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  Result<std::vector<store::Row>> found = co_await reading;
  co_return found;
}

/// Tasks side by side on one loop.
struct Gather {
  std::size_t left = 0;
  Signal<int> done;
  std::vector<Delivered> outcomes;
};

/// How the sends of a round stand.
struct Tally {
  std::int64_t delivered = 0, gone = 0, failed = 0;
  std::string error;
};

}  // namespace

std::int64_t pause_before(int attempts, std::int64_t asked_ms, Random& random) {
  const std::int64_t doubled = std::int64_t{5'000} << std::min(attempts, 12);
  const std::int64_t base = std::min<std::int64_t>(doubled, 3'600'000);
  const std::int64_t spread = base / 5;
  const auto chance = static_cast<std::int64_t>(static_cast<unsigned char>(random.bytes(1)[0]));
  return std::max(asked_ms, base - spread + 2 * spread * chance / 255);
}

// Outlives the Runner when a round is under way as the house closes.
struct Runner::Alive {
  explicit Alive(Parts p)
      : parts(std::move(p)), shared(parts.system.capabilities().shared), lease("push", parts.node, kLease, parts.clock),
        delivered(count("delivered")), gone(count("gone")), refused(count("refused")), again(count("later")) {}
  Counter& count(std::string_view outcome) {
    return parts.metrics.counter("mandate_push_deliveries_total", "Messages to devices by what the platform said.", {{"outcome", std::string(outcome)}});
  }
  Parts parts;
  const bool shared;
  store::Lease lease;
  Counter &delivered, &gone, &refused, &again;
  bool ended = false, started = false, running = false, woken = false, failing = false;
  int rounds = 0;
  std::unique_ptr<Loop::Timer> timer;
  /// Where the count of changes of a tenant's sends stood when nothing was left to do.
  std::map<std::string, std::uint64_t> quiet;
};

Runner::Runner(Parts parts) : alive_(std::make_shared<Alive>(std::move(parts))) {}

Runner::~Runner() {
  alive_->ended = true;
  alive_->timer.reset();
}

void Runner::start() {
  alive_->started = true;
  later(alive_, true);
}

void Runner::wake() {
  alive_->parts.loop.post([weak = std::weak_ptr<Alive>(alive_)] {
    const auto alive = weak.lock();
    if (!alive || alive->ended || !alive->started) return;
    alive->woken = true;
    if (!alive->running) later(alive, true);
  });
}

void Runner::later(const std::shared_ptr<Alive>& alive, bool soon) {
  alive->timer = alive->parts.loop.after(soon ? std::chrono::milliseconds(0) : kPause, [weak = std::weak_ptr<Alive>(alive)] {
    const auto alive = weak.lock();
    if (!alive || alive->ended || alive->running) return;
    alive->running = true;
    alive->woken = false;
    ++alive->parts.busy;
    spawn(round(alive), [alive](Result<bool> more) {
      alive->running = false;
      if (alive->ended) return;
      --alive->parts.busy;
      if (!more.ok() && !alive->failing) alive->parts.log.warn("push.failed", {{"code", name(more.error().code)}, {"detail", more.error().detail}});
      alive->failing = !more.ok();
      later(alive, more.ok() && (*more || alive->woken));
    });
  });
}

Task<bool> Runner::round(std::shared_ptr<Alive> alive) {
  const Parts& parts = alive->parts;
  const bool sweeps = ++alive->rounds % kSweepEvery == 0;
  bool more = false;
  for (const std::string& tenant_name : parts.tenants.names()) {
    if (alive->ended) co_return false;
    if (alive->shared) {
      Task<bool> keeping = alive->lease.keep(parts.system);
      CO_TRY(const bool ours, co_await keeping);
      if (!ours) co_return false;
    }
    const Result<tenant::Here> here = parts.tenants.by_name(tenant_name);
    if (!here.ok()) continue;
    Task<bool> carrying = carry(alive, *here);
    const Result<bool> carried = co_await carrying;
    if (carried.ok()) more = more || *carried;
    // The other tenants' turn comes all the same.
    else parts.log.warn("push.failed", {{"tenant", tenant_name}, {"code", name(carried.error().code)}, {"detail", carried.error().detail}});
    if (!sweeps) continue;
    Task<std::int64_t> ending = sweep_registrations(*here->store, parts.clock.now_ms());
    CO_CHECK(co_await ending);
    Task<store::Outcome> sweeping = here->store->mutate(sweep_sends(parts.clock.now_ms()));
    CO_CHECK(co_await sweeping);
  }
  co_return more;
}

Task<bool> Runner::carry(tenant::Here here) {
  Task<bool> carrying = carry(alive_, std::move(here));
  Result<bool> more = co_await carrying;
  co_return more;
}

namespace {

/// Sends all of whose deliveries are gone are done.
Task<void> conclude(store::Store& store, std::set<std::string> ids) {
  store::Batch batch;
  for (const std::string& id : ids) {
    store::Plan plan;
    plan.table = "push_deliveries";
    plan.select = {"id"};
    plan.where = store::equals("send", id);
    plan.limit = 1;
    Task<std::optional<store::Row>> looking = store.get(std::move(plan));
    CO_TRY(const std::optional<store::Row> left, co_await looking);
    if (left) continue;
    store::ExprPtr sending = store::both(store::equals("id", id), store::equals("state", std::string("sending")));
    batch.add(store::update("push_sends", std::move(sending), {{"state", std::string("done")}}));
  }
  if (batch.mutations.empty()) co_return ok();
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_CHECK(co_await writing);
  co_return ok();
}

Task<std::vector<store::Row>> due(store::Store& store, Millis now) {
  std::vector<store::ExprPtr> past{store::column("due_at", store::Type::integer), store::literal(now, store::Type::integer)};
  store::Plan plan;
  plan.table = "push_deliveries";
  plan.where = store::make(store::Op::le, std::move(past));
  plan.order.push_back({store::column("due_at", store::Type::integer), false});
  plan.limit = kAtOnce;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  Result<std::vector<store::Row>> found = co_await reading;
  co_return found;
}

Task<std::map<std::string, store::Row>> sends_of(store::Store& store, const std::vector<store::Row>& deliveries) {
  std::set<std::string> ids;
  for (const store::Row& row : deliveries) ids.emplace(row.text("send"));
  std::map<std::string, store::Row> out;
  for (const std::string& id : ids) {
    store::Plan plan;
    plan.table = "push_sends";
    plan.where = store::equals("id", id);
    Task<std::optional<store::Row>> reading = store.get(std::move(plan));
    CO_TRY(std::optional<store::Row> row, co_await reading);
    if (row) out.emplace(id, std::move(*row));
  }
  co_return out;
}

Message message_of(const store::Row& row, const store::Row& send) {
  Message out;
  out.id = row.text("id"), out.handle = row.text("handle");
  out.platform = platform_of(row.text("platform")).value_or(Platform::apns);
  out.payload = row.text("payload").empty() ? send.text("payload") : row.text("payload");
  out.headers = object_of(row.text("payload").empty() && row.text("headers") == "{}" ? send.text("headers") : row.text("headers"));
  out.expires_at = send.integer("expires_at");
  return out;
}

}  // namespace

Task<bool> Runner::carry(std::shared_ptr<Alive> alive, tenant::Here here) {
  const Parts& parts = alive->parts;
  store::Store& store = *here.store;
  const std::atomic<std::uint64_t>* counted = store.changes("push_sends");
  const std::uint64_t changes = counted ? counted->load() : 0;
  if (counted)
    if (const auto known = alive->quiet.find(here->name); known != alive->quiet.end() && known->second == changes) co_return false;

  Task<std::vector<store::Row>> finding = sends_in(store, "filed", kLooked);
  CO_TRY(const std::vector<store::Row> filed, co_await finding);
  for (const store::Row& send : filed) {
    Task<void> expanding = expand(store, parts.registrations, send, parts.clock, parts.random);
    const Result<void> expanded = co_await expanding;
    if (!expanded.ok() && expanded.error().code != Code::conflict) co_return expanded.error();
  }
  Task<std::vector<store::Row>> looking = due(store, parts.clock.now_ms());
  CO_TRY(const std::vector<store::Row> rows, co_await looking);
  Task<std::vector<store::Row>> listing = sends_in(store, "sending", kLooked);
  CO_TRY(const std::vector<store::Row> sending, co_await listing);
  if (filed.empty() && rows.empty() && sending.empty()) {
    if (counted) alive->quiet[here->name] = changes;
    co_return false;
  }
  Task<std::map<std::string, store::Row>> knowing = sends_of(store, rows);
  CO_TRY(const auto sends, co_await knowing);

  const auto gather = std::make_shared<Gather>();
  gather->outcomes.resize(rows.size());
  std::vector<std::pair<std::size_t, Message>> messages;
  std::map<std::pair<const tenant::Service*, Platform>, std::optional<Delivered>> places;  ///< with what went wrong there
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto send = sends.find(std::string(rows[i].text("send")));
    const auto service = here->services.find(rows[i].text("service"));
    if (send == sends.end() || service == here->services.end()) {
      gather->outcomes[i].reason = "the service is gone";
      continue;
    }
    messages.emplace_back(i, message_of(rows[i], send->second));
    places.try_emplace({&service->second, messages.back().second.platform});
  }
  for (auto& place : places) {
    const tenant::Service* service = place.first.first;
    const Platform platform = place.first.second;
    Task<void> preparing = parts.senders.prepare(here, service, platform);
    const Result<void> prepared = co_await preparing;
    if (prepared.ok()) continue;
    place.second = no_answer(prepared.error());
    parts.log.warn("push.no_credentials", {{"tenant", here->name}, {"service", service->name}, {"platform", name(platform)}, {"detail", prepared.error().hint}});
  }
  if (alive->shared && !alive->lease.held()) co_return false;
  std::erase_if(messages, [&](const std::pair<std::size_t, Message>& each) {
    const auto& trouble = places.at({&here->services.find(rows[each.first].text("service"))->second, each.second.platform});
    if (trouble) gather->outcomes[each.first] = *trouble;
    return trouble.has_value();
  });
  gather->left = messages.size();
  for (auto& [i, message] : messages) {
    const tenant::Service* service = &here->services.find(rows[i].text("service"))->second;
    spawn(parts.senders.deliver(here, service, std::move(message)), [gather, i](Result<Delivered> outcome) {
      gather->outcomes[i] = outcome.ok() ? std::move(*outcome) : no_answer(outcome.error());
      if (--gather->left == 0) gather->done.set_here(0);
    });
  }
  if (!messages.empty()) {
    Signal<int>& done = gather->done;
    const Result<int> all = co_await done;
    CO_CHECK(all);
  }

  const Millis now = parts.clock.now_ms();
  store::Batch batch;
  std::map<std::string, Tally> tallies;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const store::Row& row = rows[i];
    const std::string id(row.text("id")), send_id(row.text("send"));
    Delivered& outcome = gather->outcomes[i];
    Tally& tally = tallies[send_id];
    const int attempts = static_cast<int>(row.integer("attempts")) + 1;
    if (outcome.kind == Delivered::Kind::later) {
      const std::int64_t pause = pause_before(attempts - 1, outcome.wait_ms, parts.random);
      const auto send = sends.find(send_id);
      if (attempts < kMostAttempts && send != sends.end() && now + pause < send->second.integer("expires_at")) {
        alive->again.add();
        tally.error = outcome.reason;
        batch.add(store::update("push_deliveries", store::equals("id", id), {{"attempts", std::int64_t{attempts}}, {"due_at", now + pause}}));
        continue;
      }
      outcome.kind = Delivered::Kind::refused;
    }
    batch.add(store::remove("push_deliveries", store::equals("id", id)));
    if (outcome.kind == Delivered::Kind::delivered) {
      alive->delivered.add();
      ++tally.delivered;
    } else if (outcome.kind == Delivered::Kind::gone) {
      alive->gone.add();
      ++tally.gone;
      const auto platform = platform_of(row.text("platform"));
      Task<std::vector<store::Mutation>> forgetting = forget_device(store, std::string(row.text("service")), platform.value_or(Platform::apns), std::string(row.text("handle")), now);
      CO_TRY(std::vector<store::Mutation> forgotten, co_await forgetting);
      for (store::Mutation& mutation : forgotten) batch.add(std::move(mutation));
    } else {
      alive->refused.add();
      ++tally.failed;
      tally.error = std::to_string(outcome.status) + " " + outcome.reason;
      parts.log.info("push.refused", {{"tenant", here->name}, {"service", row.text("service")}, {"platform", row.text("platform")}, {"send", send_id}, {"status", outcome.status}, {"reason", outcome.reason}});
    }
  }
  std::set<std::string> touched;
  for (const store::Row& send : sending) touched.emplace(send.text("id"));
  for (const auto& [id, tally] : tallies) {
    touched.insert(id);
    const auto send = sends.find(id);
    if (send == sends.end()) continue;
    const store::Row& was = send->second;
    std::vector<store::Cell> set{{"delivered", was.integer("delivered") + tally.delivered}, {"gone", was.integer("gone") + tally.gone}, {"failed", was.integer("failed") + tally.failed}};
    if (!tally.error.empty()) set.push_back({"last_error", tally.error});
    batch.add(store::update("push_sends", store::equals("id", id), std::move(set)));
  }
  if (!batch.mutations.empty()) {
    Task<store::Outcome> writing = store.mutate(std::move(batch));
    CO_CHECK(co_await writing);
  }
  Task<void> concluding = conclude(store, std::move(touched));
  CO_CHECK(co_await concluding);
  co_return !filed.empty() || !rows.empty();
}

}  // namespace mandate::push
