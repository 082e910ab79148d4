// The chain: rows in the order of `at` (a Stamp, so in commit order), each with hash = SHA-256(previous hash ‖ row).
// `audit_tip` remembers the last hash and the number of rows, so that a cut at the end shows too.
#include "tenant/audit.h"

#include "base/crypto.h"

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

struct Tip {
  bool there = false;
  Millis at = 0;
  std::int64_t rows = 0;
  std::string hash;
};

Task<Tip> read_tip(store::Store& store) {
  store::Plan plan;
  plan.table = "audit_tip";
  plan.where = store::equals("chain", std::int64_t{1});
  Task<std::optional<store::Row>> reading = store.get(std::move(plan));
  Result<std::optional<store::Row>> row = co_await reading;
  if (!row.ok()) co_return row.error();
  Tip tip;
  if (*row) tip = {true, (**row).integer("at"), (**row).integer("rows"), std::string((**row).text("hash"))};
  co_return tip;
}

/// The next rows after `at`, in order; only those without hash when `unsealed`.
Task<std::vector<store::Row>> rows_after(store::Store& store, Millis at, bool unsealed) {
  store::Plan plan;
  plan.table = "audit";
  plan.where = store::make(store::Op::gt, {store::column("at"), store::literal(at)});
  if (unsealed) plan.where = store::both(plan.where, store::equals("hash", {}));
  plan.order.push_back({store::column("at"), false});
  plan.limit = kPiece;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  Result<std::vector<store::Row>> rows = co_await reading;
  co_return rows;
}

store::Mutation move_tip(const Tip& from, const Tip& to) {
  std::vector<store::Cell> cells{{"chain", std::int64_t{1}}, {"at", to.at}, {"rows", to.rows}, {"hash", to.hash}};
  if (!from.there) return store::insert("audit_tip", std::move(cells));
  store::ExprPtr as_read = store::both(store::equals("chain", std::int64_t{1}), store::equals("hash", from.hash));
  store::Mutation m = store::update("audit_tip", std::move(as_read), std::move(cells));
  m.expect = store::Mutation::Expect::one;
  return m;
}

/// What strangers wrote is kept short, or a refused request could fill the disk (KS-5).
std::string_view cut(std::string_view text) {
  constexpr std::size_t kMost = 512;
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end);
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
    Task<Tip> tip_reading = read_tip(store);
    CO_TRY(const Tip tip, co_await tip_reading);
    Task<std::vector<store::Row>> reading = rows_after(store, tip.at, true);
    CO_TRY(const std::vector<store::Row> rows, co_await reading);
    if (rows.empty()) co_return ok();
    Tip moved = tip;
    store::Batch batch;
    for (const store::Row& row : rows) {
      moved = {true, row.integer("at"), moved.rows + 1, hash_after(moved.hash, row)};
      store::ExprPtr this_row = store::both(store::equals("at", moved.at), store::equals("hash", {}));
      store::Mutation sealing = store::update("audit", std::move(this_row), {{"hash", moved.hash}});
      sealing.expect = store::Mutation::Expect::one;
      batch.add(std::move(sealing));
    }
    batch.add(move_tip(tip, moved));
    Task<store::Outcome> writing = store.mutate(std::move(batch));
    Result<store::Outcome> written = co_await writing;
    // Somebody else sealed the same rows meanwhile, with the same result.
    if (!written.ok() && written.error().code == Code::conflict) co_return ok();
    CO_CHECK(std::move(written));
    if (static_cast<std::int64_t>(rows.size()) < kPiece) co_return ok();
  }
}

Task<std::string> verify_audit(store::Store& store) {
  // Rows are read up to the tip as it was before: what is sealed while we walk belongs to the next walk.
  Task<Tip> tip_reading = read_tip(store);
  CO_TRY(const Tip tip, co_await tip_reading);
  Tip walked;
  for (bool more = true; more;) {
    Task<std::vector<store::Row>> reading = rows_after(store, walked.at, false);
    CO_TRY(const std::vector<store::Row> rows, co_await reading);
    more = static_cast<std::int64_t>(rows.size()) == kPiece;
    for (const store::Row& row : rows) {
      if (row.integer("at") > tip.at) {
        more = false;
        break;
      }
      walked = {true, row.integer("at"), walked.rows + 1, hash_after(walked.hash, row)};
      if (row.text("hash") != walked.hash) co_return at_row(row) + " was changed, put in, or follows a row that was cut out";
    }
  }
  if (walked.rows != tip.rows || walked.hash != tip.hash)
    co_return "rows were cut off at the end: " + std::to_string(walked.rows) + " of " + std::to_string(tip.rows) + " are left";
  co_return std::string();
}

}  // namespace mandate::tenant
