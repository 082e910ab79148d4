// The chain: rows in the order of `at` (a Stamp, so in commit order); each has a hash = SHA-256(hash before ‖ row). Rows are
// written once; a seal holds the last hash of a stretch of them, and of every hash the first digits, which are enough to
// name the row that was tampered with.
#include "tenant/audit.h"

#include <limits>

#include "base/crypto.h"
#include "base/text.h"

namespace mandate::tenant {
namespace {

constexpr std::int64_t kPiece = 500;
constexpr const char* kColumns[] = {"time", "type", "client_id", "user_id", "target", "connection", "reason", "details", "ip", "request_id"};

/// What is hashed: the cells as one JSON array, so that no text can slip from one column into the next.
std::string hash_after(std::string_view previous, const store::Row& row) {
  std::string text(previous);
  text.reserve(text.size() + 512);
  text += '[' + std::to_string(row.integer("at")) + ',' + std::to_string(row.integer("time"));
  for (std::size_t i = 1; i < std::size(kColumns); ++i) {
    text += ',';
    append_json_string(text, row.text(kColumns[i]));
  }
  text += ']';
  return token_hash(text);
}

constexpr std::size_t kMark = 8;  ///< digits of each row's hash that a seal keeps

struct Seal {
  Millis after = 0, last = 0;  ///< rows with after < at ≤ last
  std::int64_t rows = 0;       ///< since the beginning
  std::string hash, marks;
};

Seal seal_of(const store::Row& row) {
  return {row.integer("after"), row.integer("last"), row.integer("rows"), std::string(row.text("hash")), std::string(row.text("marks"))};
}

/// The seal that stands last; one of zero rows when there is none.
Task<Seal> newest_seal(store::Store& store) {
  store::Plan plan;
  plan.table = "audit_seals";
  plan.order.push_back({store::column("after"), true});
  Task<std::optional<store::Row>> reading = store.get(std::move(plan));
  Result<std::optional<store::Row>> row = co_await reading;
  if (!row.ok()) co_return row.error();
  co_return *row ? seal_of(**row) : Seal{};
}

store::ExprPtr compare(store::Op op, std::string column, Millis at) {
  return store::make(op, {store::column(std::move(column)), store::literal(at)});
}

/// The next rows after `at`, in order; none after `last`.
Task<std::vector<store::Row>> rows_after(store::Store& store, Millis at, Millis last) {
  store::Plan plan;
  plan.table = "audit";
  plan.where = store::both(compare(store::Op::gt, "at", at), compare(store::Op::le, "at", last));
  plan.order.push_back({store::column("at"), false});
  plan.limit = kPiece;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  Result<std::vector<store::Row>> rows = co_await reading;
  co_return rows;
}

Task<std::vector<store::Row>> seals_from(store::Store& store, Millis after) {
  store::Plan plan;
  plan.table = "audit_seals";
  plan.where = compare(store::Op::ge, "after", after);
  plan.order.push_back({store::column("after"), false});
  plan.limit = kPiece;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  Result<std::vector<store::Row>> rows = co_await reading;
  co_return rows;
}

/// What strangers wrote is kept short, or a refused request could fill the disk (KS-5).
std::string_view cut(std::string_view text) {
  constexpr std::size_t kMost = 512;
  return mandate::cut(text, kMost);
}

JsonObject cut(JsonObject details) {
  for (auto& member : details)
    if (const auto* text = member.value().if_string(); text && text->size() > cut(view(*text)).size())
      member.value() = std::string(cut(view(*text)));
  return details;
}

std::string at_row(const store::Row& row) {
  return "row " + std::to_string(row.integer("at")) + " (" + iso8601(row.integer("time")) + ", " + std::string(row.text("type")) + ")";
}

/// Walks one seal's rows on from `hash` and `count`, which it moves. The text says what is wrong with them.
Task<std::string> walk(store::Store& store, const Seal& seal, std::string& hash, std::int64_t& count) {
  std::size_t seen = 0;
  for (Millis at = seal.after;;) {
    Task<std::vector<store::Row>> reading = rows_after(store, at, seal.last);
    CO_TRY(const std::vector<store::Row> rows, co_await reading);
    for (const store::Row& row : rows) {
      hash = hash_after(hash, row);
      if (hash.substr(0, kMark) != std::string_view(seal.marks).substr(std::min(seen, seal.marks.size()), kMark))
        co_return at_row(row) + " was changed, put in, or follows a row that was cut out";
      seen += kMark;
      at = row.integer("at");
    }
    if (static_cast<std::int64_t>(rows.size()) < kPiece) break;
  }
  count += static_cast<std::int64_t>(seen / kMark);
  if (count < seal.rows)
    co_return "rows were cut off before row " + std::to_string(seal.last + 1) + ": " + std::to_string(count) + " of " + std::to_string(seal.rows) + " are left";
  if (count != seal.rows || hash != seal.hash) co_return "the seal of rows " + std::to_string(seal.after) + " to " + std::to_string(seal.last) + " was changed";
  co_return std::string();
}

}  // namespace

store::Mutation audit_row(const Event& event, const http::Request& request, Millis now) {
  return store::insert("audit", {{"at", store::Stamp{}},
                                 {"time", now},
                                 {"type", event.type},
                                 {"client_id", std::string(cut(event.client_id))},
                                 {"user_id", std::string(cut(event.user_id))},
                                 {"target", std::string(cut(event.target))},
                                 {"connection", std::string(cut(event.connection))},
                                 {"reason", std::string(cut(event.reason))},
                                 {"details", to_json(cut(event.details))},
                                 {"ip", request.peer},
                                 {"request_id", request.id}});
}

Task<void> audit(const Here& here, Event event, const http::Request& request, const Clock& clock) {
  store::Batch batch;
  batch.add(audit_row(event, request, clock.now_ms()));
  Task<store::Outcome> writing = here.store->mutate(std::move(batch));
  Result<store::Outcome> written = co_await writing;
  CO_CHECK(std::move(written));
  co_return ok();
}

Task<void> seal_audit(store::Store& store) {
  for (;;) {
    Task<Seal> newest = newest_seal(store);
    CO_TRY(const Seal before, co_await newest);
    Task<std::vector<store::Row>> reading = rows_after(store, before.last, std::numeric_limits<Millis>::max());
    CO_TRY(const std::vector<store::Row> rows, co_await reading);
    if (rows.empty()) co_return ok();
    Seal seal{before.last, rows.back().integer("at"), before.rows + static_cast<std::int64_t>(rows.size()), before.hash, {}};
    for (const store::Row& row : rows) {
      seal.hash = hash_after(seal.hash, row);
      seal.marks += seal.hash.substr(0, kMark);
    }
    store::Batch batch;
    batch.add(store::insert("audit_seals", {{"after", seal.after}, {"last", seal.last}, {"rows", seal.rows}, {"hash", seal.hash}, {"marks", seal.marks}}));
    Task<store::Outcome> writing = store.mutate(std::move(batch));
    Result<store::Outcome> written = co_await writing;
    // Somebody else sealed these rows meanwhile.
    if (!written.ok() && written.error().code == Code::conflict) co_return ok();
    CO_CHECK(std::move(written));
    if (static_cast<std::int64_t>(rows.size()) < kPiece) co_return ok();
  }
}

Task<std::string> verify_audit(store::Store& store) {
  std::string hash;
  std::int64_t count = 0;
  Millis last = 0;
  for (;;) {
    Task<std::vector<store::Row>> reading = seals_from(store, last);
    CO_TRY(const std::vector<store::Row> seals, co_await reading);
    if (seals.empty()) co_return std::string();
    for (const store::Row& row : seals) {
      const Seal seal = seal_of(row);
      if (seal.after != last) co_return "a seal was cut out or changed before the one of rows " + std::to_string(seal.after) + " to " + std::to_string(seal.last);
      Task<std::string> walking = walk(store, seal, hash, count);
      CO_TRY(std::string broken, co_await walking);
      if (!broken.empty()) co_return broken;
      last = seal.last;
    }
  }
}

}  // namespace mandate::tenant
