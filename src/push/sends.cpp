#include "push/sends.h"

#include "push/payload.h"
#include "push/tags.h"

namespace mandate::push {
namespace {

constexpr Millis kDay = 86'400'000;
constexpr std::size_t kMostPayload = 64 << 10;

Result<void> check(const Send& send) {
  CHECK_OK(TagExpression::parse(send.expression));
  if (send.payload.size() > kMostPayload) return Error(Code::bad_request, "The payload is too large.");
  if (send.kind == SendKind::native || send.kind == SendKind::direct) {
    if (!send.platform) return Error(Code::bad_request, "A platform is needed.");
    CHECK_OK(check_payload(*send.platform, send.payload));
  } else {
    const Result<Json> body = parse_json(send.payload);
    if (!body.ok() || !body->is_object()) return Error(Code::bad_request, "The payload must be a JSON object.");
  }
  if (send.kind == SendKind::direct && (send.handles.empty() || send.handles.size() > kMostHandles))
    return Error(Code::bad_request, "A message goes to 1 to 1000 devices at a time.");
  return {};
}

store::ExprPtr below(std::string column, Millis limit) {
  std::vector<store::ExprPtr> args{store::column(std::move(column), store::Type::integer), store::literal(limit, store::Type::integer)};
  return store::make(store::Op::lt, std::move(args));
}

}  // namespace

std::string_view name(SendKind kind) {
  switch (kind) {
    case SendKind::native: return "native";
    case SendKind::filled: return "template";
    case SendKind::message: return "message";
    case SendKind::direct: return "direct";
  }
  return "";
}

JsonObject shown(const store::Row& row) {
  JsonObject out{{"id", row.text("id")}, {"service", row.text("service")}, {"kind", row.text("kind")}, {"state", row.text("state")},
                 {"made", iso8601(row.integer("made_at"))}, {"targets", row.integer("targets")}, {"delivered", row.integer("delivered")},
                 {"gone", row.integer("gone")}, {"failed", row.integer("failed")}};
  for (const std::string_view optional : {"platform", "expression", "last_error"})
    if (!row.text(optional).empty()) out[optional] = row.text(optional);
  return out;
}

Task<std::string> Sends::file(store::Store& store, Send send) {
  CO_CHECK(check(send));
  const Millis now = clock_.now_ms();
  const std::string id = random_.uuid7(now);
  const bool direct = send.kind == SendKind::direct;
  const std::string platform(send.platform ? name(*send.platform) : std::string_view());
  store::Batch batch;
  batch.add(store::insert("push_sends", {{"id", id}, {"service", send.service}, {"kind", std::string(name(send.kind))}, {"platform", platform},
                                         {"expression", send.expression}, {"payload", send.payload}, {"headers", to_json(send.headers)},
                                         {"state", std::string(direct ? "sending" : "filed")}, {"progress", std::string()}, {"made_at", now},
                                         {"expires_at", send.expires_at > 0 ? send.expires_at : now + kDay},
                                         {"targets", static_cast<std::int64_t>(send.handles.size())}, {"delivered", std::int64_t{0}},
                                         {"gone", std::int64_t{0}}, {"failed", std::int64_t{0}}, {"last_error", std::string()}}));
  if (direct)
    for (const std::string& handle : send.handles)
      batch.add(store::insert("push_deliveries", {{"id", random_.uuid7(now)}, {"send", id}, {"service", send.service}, {"platform", platform},
                                                  {"handle", handle}, {"payload", std::string()}, {"headers", std::string("{}")},
                                                  {"attempts", std::int64_t{0}}, {"due_at", now}}));
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_CHECK(co_await writing);
  if (wake_) wake_();
  co_return id;
}

Task<std::vector<JsonObject>> Sends::list(store::Store& store, std::string service, std::int64_t most) {
  store::Plan plan;
  plan.table = "push_sends";
  if (!service.empty()) plan.where = store::equals("service", service);
  plan.order.push_back({store::column("id", store::Type::text), true});
  plan.limit = most;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> rows, co_await reading);
  std::vector<JsonObject> out;
  for (const store::Row& row : rows) out.push_back(shown(row));
  co_return out;
}

Task<JsonArray> Sends::feedback(store::Store& store, std::string service, Platform platform) {
  store::Mutation taking = store::remove("push_feedback", store::both(store::equals("service", service), store::equals("platform", std::string(name(platform)))));
  taking.returning = {"handle", "at"};
  store::Batch batch;
  batch.add(std::move(taking));
  Task<store::Outcome> reading = store.mutate(std::move(batch));
  CO_TRY(const store::Outcome outcome, co_await reading);
  JsonArray out;
  for (const store::Row& row : outcome.front().rows)
    out.push_back(JsonObject{{"deviceToken", row.text("handle")}, {"timeSent", iso8601(row.integer("at"))}});
  co_return out;
}

store::Batch sweep_sends(Millis now) {
  store::Batch batch;
  batch.add(store::remove("push_sends", store::both(store::equals("state", std::string("done")), below("made_at", now - 7 * kDay))));
  batch.add(store::remove("push_feedback", below("at", now - 30 * kDay)));
  return batch;
}

std::vector<store::Bunch> forgetting(const std::string& service) {
  const store::ExprPtr own = store::equals("service", service);
  return {{"push_sends", {"id"}, own},
          {"push_deliveries", {"id"}, own},
          {"push_tags", {"service", "tag", "registration"}, own},
          {"push_registrations", {"service", "id"}, own},
          {"push_feedback", {"service", "platform", "handle"}, own}};
}

}  // namespace mandate::push
