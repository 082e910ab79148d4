#include "oauth/refresh_tokens.h"

#include <algorithm>

#include "base/base64.h"
#include "base/crypto.h"
#include "oauth/revocations.h"
#include "oauth/scopes.h"

namespace mandate::oauth {
namespace {

constexpr std::size_t kLength = 45;

Error unknown(std::string detail) {
  return Error(Code::invalid_grant, "Unknown or invalid refresh token.", std::move(detail));
}

/// The successor is sealed under the old token's own text: who holds the old one may learn it, the database
/// alone may not.
std::string successor_key(std::string_view old_text) {
  return sha256("refresh successor\n" + std::string(old_text));
}

RefreshToken of_row(const store::Row& row) {
  RefreshToken out;
  out.family = row.text("family");
  out.client_id = row.text("client_id");
  out.user_id = row.text("user_id");
  out.sid = row.text("sid");
  out.connection = row.text("connection");
  out.audience = row.text("audience");
  out.device = row.text("device");
  out.scopes = scopes_of(row.text("scope"));
  out.offline_consent = row.boolean("offline_consent");
  out.user_epoch = row.integer("user_epoch");
  out.tenant_epoch = static_cast<std::uint64_t>(row.integer("tenant_epoch"));
  out.created_at = row.integer("created_at");
  out.used_at = row.integer("used_at");
  out.expires_at = row.integer("expires_at");
  return out;
}

struct Found {
  RefreshToken token;
  Millis rotated_at = 0;
  std::string successor, request;
};

store::Plan one(std::string table, std::string column, std::string value) {
  store::Plan plan;
  plan.table = std::move(table);
  plan.where = store::equals(std::move(column), std::move(value));
  return plan;
}

/// The token's row together with its family's.
Task<Found> find_family(const tenant::Here& here, store::Row token, std::string client_id, Millis now) {
  store::Plan by_family = one("oauth_refresh_families", "family", std::string(token.text("family")));
  CO_TRY(const std::optional<store::Row> family, co_await here.store->get(std::move(by_family)));
  if (!family) co_return unknown("family gone");
  Found out;
  out.token = of_row(*family);
  out.rotated_at = token.integer("rotated_at");
  out.successor = token.text("successor");
  out.request = token.text("request");
  if (out.token.client_id != client_id) co_return unknown("another client's");
  if (out.token.expires_at != 0 && out.token.expires_at <= now) co_return unknown("expired");
  co_return out;
}

Task<Found> find(const tenant::Here& here, std::string text, std::string client_id, Millis now) {
  CO_TRY(store::Row token, co_await refresh_token_row(here, std::move(text)));
  Result<Found> found = co_await find_family(here, std::move(token), std::move(client_id), now);
  co_return found;
}

store::ExprPtr unused(std::string_view text) {
  return store::both(store::equals("hash", token_hash(text)), store::equals("rotated_at", std::int64_t{0}));
}

store::Mutation token_row(const RememberedGrant& grant, std::string_view text, Millis now) {
  return store::insert("oauth_refresh_tokens", {{"hash", token_hash(text)},
                                                {"family", grant.token.family},
                                                {"created_at", now},
                                                {"rotated_at", std::int64_t{0}},
                                                {"successor", std::string()},
                                                {"request", std::string()},
                                                {"carried", to_text(grant)}});
}

Result<std::string> open_successor(const Found& found, std::string_view old_text) {
  const auto sealed = base64url_decode(found.successor);
  if (!sealed) return Error(Code::corrupt, {}, "successor of a refresh token");
  return unseal(successor_key(old_text), *sealed, found.token.family);
}

}  // namespace

std::string new_refresh_token(Random& random) { return random.alphanumeric(kLength); }

Millis refresh_expiry(const tenant::Client& client, Millis created_at, Millis now) {
  if (client.refresh_infinite) return 0;
  return std::min(created_at + client.refresh_absolute_seconds * 1000,
                  now + client.refresh_idle_seconds * 1000);
}

RememberedGrant file_refresh_token(store::Batch& batch, const RefreshToken& token, std::string_view text, Millis now,
                                   const identity::Session* session) {
  RememberedGrant out = remember(token, session);
  out.token.created_at = now;
  if (!token.device.empty()) {
    const auto same_device = store::both(
        store::equals("user_id", token.user_id),
        store::both(store::equals("client_id", token.client_id), store::equals("device", token.device)));
    batch.add(store::remove("oauth_refresh_families", same_device));
  }
  batch.add(store::insert("oauth_refresh_families",
                          {{"family", token.family},
                           {"client_id", token.client_id},
                           {"user_id", token.user_id},
                           {"sid", token.sid},
                           {"connection", token.connection},
                           {"audience", token.audience},
                           {"device", token.device},
                           {"scope", join(token.scopes)},
                           {"offline_consent", token.offline_consent},
                           {"user_epoch", token.user_epoch},
                           {"tenant_epoch", static_cast<std::int64_t>(token.tenant_epoch)},
                           {"created_at", now},
                           {"used_at", now},
                           {"expires_at", token.expires_at}}));
  batch.add(token_row(out, text, now));
  return out;
}

Task<store::Row> refresh_token_row(const tenant::Here& here, std::string token) {
  if (token.empty() || token.size() > 512) co_return unknown("size");
  store::Plan by_hash = one("oauth_refresh_tokens", "hash", token_hash(token));
  CO_TRY(std::optional<store::Row> row, co_await here.store->get(std::move(by_hash)));
  if (!row) co_return unknown("unknown");
  co_return std::move(*row);
}

bool rotated_out(const store::Row& token_row) { return token_row.integer("rotated_at") != 0; }

std::optional<RememberedGrant> carried_grant(const store::Row& token_row) {
  const std::string_view carried = token_row.text("carried");
  if (carried.empty() || rotated_out(token_row)) return std::nullopt;
  return remembered_grant(token_row.text("family"), carried);
}

Task<RefreshToken> find_refresh_token(const tenant::Here& here, std::string token, std::string client_id,
                                      Millis now) {
  CO_TRY(Found found, co_await find(here, std::move(token), std::move(client_id), now));
  if (found.rotated_at != 0) co_return unknown("rotated out");
  co_return std::move(found.token);
}

Task<std::string> refresh_family(const tenant::Here& here, std::string token, std::string client_id, Millis now) {
  CO_TRY(Found found, co_await find(here, std::move(token), std::move(client_id), now));
  co_return std::move(found.token.family);
}

Task<Presented> present_refresh_token(const tenant::Here& here, const tenant::Client& client, store::Row token_row,
                                      std::string token, std::string fingerprint, Millis now) {
  std::string client_id = client.client_id;
  CO_TRY(Found found, co_await find_family(here, std::move(token_row), std::move(client_id), now));
  Presented out;
  if (found.rotated_at == 0) {
    out.token = std::move(found.token);
    co_return out;
  }
  const bool retry = now - found.rotated_at <= client.refresh_leeway_seconds * 1000 &&
                     secret_equal(found.request, fingerprint);
  if (retry) {
    CO_TRY(out.successor, open_successor(found, token));
    out.token = std::move(found.token);
    co_return out;
  }
  store::Batch batch;
  revoke_grant(batch, found.token.family, now);
  CO_TRY([[maybe_unused]] const store::Outcome done, co_await here.store->mutate(std::move(batch)));
  co_return unknown("reuse");
}

void touch_family(store::Batch& batch, const tenant::Client& client, const RefreshToken& token, Millis now) {
  const auto never = store::equals("expires_at", std::int64_t{0});
  const auto later = store::make(store::Op::gt, {store::column("expires_at", store::Type::integer),
                                                 store::literal(now, store::Type::integer)});
  store::Mutation family = store::update(
      "oauth_refresh_families",
      store::both(store::equals("family", token.family), store::make(store::Op::or_, {never, later})),
      {{"used_at", now}, {"expires_at", refresh_expiry(client, token.created_at, now)}});
  family.expect = store::Mutation::Expect::one;
  family.otherwise = Code::invalid_grant;
  batch.add(std::move(family));
}

void touch_refresh_token(store::Batch& batch, const tenant::Client& client, const RefreshToken& token,
                         std::string_view text, Millis now) {
  batch.add(store::check("oauth_refresh_tokens", unused(text), store::Mutation::Expect::one, Code::invalid_grant));
  touch_family(batch, client, token, now);
}

void rotate_refresh_token(store::Batch& batch, const tenant::Client& client, const RememberedGrant& grant,
                          std::string_view old_text, std::string_view new_text, std::string_view fingerprint,
                          Random& random, Millis now) {
  const std::string sealed = seal(successor_key(old_text), new_text, grant.token.family, random);
  store::Mutation old = store::update(
      "oauth_refresh_tokens", unused(old_text),
      {{"rotated_at", now}, {"successor", base64url(sealed)}, {"request", std::string(fingerprint)}});
  old.expect = store::Mutation::Expect::one;
  old.otherwise = Code::invalid_grant;
  batch.add(std::move(old));
  touch_family(batch, client, grant.token, now);
  batch.add(token_row(grant, new_text, now));
}

}  // namespace mandate::oauth
