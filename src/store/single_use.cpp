#include "store/single_use.h"

namespace mandate::store {
namespace {

constexpr const char* kTable = "single_use";

/// Only a hash of the handle is kept, and the kind is inside it: a handle of another kind is another key.
std::string key_of(Kind kind, std::string_view handle) {
  std::string text(kind);
  text += '\0';
  text += handle;
  return token_hash(text);
}

ExprPtr unexpired(Kind kind, std::string_view handle, std::string_view bound_to, Millis now) {
  ExprPtr mine = both(equals("key", key_of(kind, handle)), equals("bound_to", std::string(bound_to)));
  return both(std::move(mine), make(Op::gt, {column("expires_at"), literal(now)}));
}

}  // namespace

Mutation file_single_use(Kind kind, const SingleUse& object, std::string_view bound_to) {
  return insert(kTable, {{"key", key_of(kind, object.handle)},
                         {"bound_to", std::string(bound_to)},
                         {"payload", to_json(object.payload)},
                         {"expires_at", object.expires_at}});
}

Mutation take_single_use(Kind kind, std::string_view handle, std::string_view bound_to, Millis now, Code otherwise) {
  Mutation m = remove(kTable, unexpired(kind, handle, bound_to, now));
  m.returning = {"payload"};
  m.expect = Mutation::Expect::one;
  m.otherwise = otherwise;
  return m;
}

Result<JsonObject> payload_of(const Touched& taken) {
  if (taken.rows.empty()) return Error(Code::server_error, "", "single use: nothing was taken");
  TRY(Json payload, parse_json(taken.rows.front().text("payload"), {.bytes = 16 << 20, .string_bytes = 16 << 20}));
  if (!payload.is_object()) return Error(Code::corrupt, "", "single use: the payload is not an object");
  return std::move(payload.as_object());
}

Task<void> put(Store& store, Kind kind, SingleUse object, std::string bound_to) {
  Batch batch;
  batch.add(file_single_use(kind, object, bound_to));
  Task<Outcome> writing = store.mutate(std::move(batch));
  Result<Outcome> outcome = co_await writing;
  CO_CHECK(std::move(outcome));
  co_return ok();
}

Task<JsonObject> take(Store& store, Kind kind, std::string handle, std::string bound_to, Millis now, Code otherwise) {
  Batch batch;
  batch.add(take_single_use(kind, handle, bound_to, now, otherwise));
  Task<Outcome> taking = store.mutate(std::move(batch));
  CO_TRY(const Outcome outcome, co_await taking);
  co_return payload_of(outcome.front());
}

Task<std::optional<JsonObject>> peek(Store& store, Kind kind, std::string handle, std::string bound_to, Millis now) {
  Plan plan;
  plan.table = kTable;
  plan.select = {"payload"};
  plan.where = unexpired(kind, handle, bound_to, now);
  Task<std::optional<Row>> reading = store.get(std::move(plan));
  CO_TRY(const std::optional<Row> row, co_await reading);
  std::optional<JsonObject> found;
  if (!row) co_return found;
  Touched touched;
  touched.rows.push_back(*row);
  CO_TRY(found, payload_of(touched));
  co_return found;
}

Mutation drop_expired_single_use(Kind kind, std::string_view handle, Millis now) {
  return remove(kTable, both(equals("key", key_of(kind, handle)), make(Op::le, {column("expires_at"), literal(now)})));
}

Mutation sweep_single_use(Millis now) {
  return remove(kTable, make(Op::le, {column("expires_at"), literal(now)}));
}

}  // namespace mandate::store
