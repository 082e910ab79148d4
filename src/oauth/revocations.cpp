#include "oauth/revocations.h"

namespace mandate::oauth {
namespace {

using store::Op;
using store::Value;

store::ExprPtr below(std::string column, Millis limit) {
  return store::make(Op::lt, {store::column(std::move(column), store::Type::integer),
                              store::literal(limit, store::Type::integer)});
}

}  // namespace

namespace revoked {
std::string jti(std::string_view id) { return "jti:" + std::string(id); }
std::string grant(std::string_view grant_id) { return "grant:" + std::string(grant_id); }
std::string sid(std::string_view sid) { return "sid:" + std::string(sid); }
}  // namespace revoked

store::Mutation revoke(std::string id, Millis until) {
  return store::upsert("oauth_revocations", {"id"}, {{"id", std::move(id)}, {"expires_at", until}});
}

Task<bool> any_revoked(store::Store& store, std::vector<std::string> ids) {
  if (ids.empty()) co_return false;
  store::Plan plan;
  plan.table = "oauth_revocations";
  plan.select = {"id"};
  std::vector<store::ExprPtr> args;
  args.push_back(store::column("id", store::Type::text));
  for (std::string& id : ids) args.push_back(store::literal(std::move(id), store::Type::text));
  plan.where = store::make(Op::in, std::move(args));
  CO_TRY(const std::optional<store::Row> row, co_await store.get(std::move(plan)));
  co_return row.has_value();
}

std::vector<std::string> ids_of(const JsonObject& claims) {
  std::vector<std::string> ids;
  if (const auto jti = text_member(claims, "jti")) {
    ids.push_back(revoked::jti(*jti));
    if (const auto dot = jti->find('.'); dot != std::string_view::npos) ids.push_back(revoked::grant(jti->substr(0, dot)));
  }
  if (const auto sid = text_member(claims, "sid")) ids.push_back(revoked::sid(*sid));
  return ids;
}

Task<bool> claims_revoked(store::Store& store, std::shared_ptr<const JsonObject> claims) {
  std::vector<std::string> ids = ids_of(*claims);
  Task<bool> asking = any_revoked(store, std::move(ids));
  co_return co_await asking;
}

void revoke_grant(store::Batch& batch, std::string_view grant_id, Millis now) {
  const std::string id(grant_id);
  batch.add(store::remove("oauth_refresh_tokens", store::equals("family", id)));
  batch.add(store::remove("oauth_refresh_families", store::equals("family", id)));
  batch.add(store::remove("oauth_access_tokens", store::equals("grant_id", id)));
  batch.add(revoke(revoked::grant(id), now + kLongestAccessToken));
}

Task<void> revoke_session(store::Store& store, std::string sid, Millis now) {
  if (sid.empty()) co_return ok();
  store::Plan plan;
  plan.table = "oauth_refresh_families";
  plan.select = {"family"};
  plan.where = store::both(store::equals("sid", sid), store::equals("offline_consent", false));
  CO_TRY(const std::vector<store::Row> families, co_await store::rows(store, std::move(plan)));
  store::Batch batch;
  for (const store::Row& row : families) revoke_grant(batch, row.text("family"), now);
  batch.add(store::remove("oauth_access_tokens", store::equals("sid", sid)));
  batch.add(revoke(revoked::sid(sid), now + kLongestAccessToken));
  CO_TRY([[maybe_unused]] const store::Outcome done, co_await store.mutate(std::move(batch)));
  co_return ok();
}

std::vector<store::Mutation> sweep_tokens(Millis now) {
  std::vector<store::Mutation> out;
  out.push_back(store::remove("oauth_access_tokens", below("expires_at", now)));
  out.push_back(store::remove("oauth_revocations", below("expires_at", now)));
  const auto expires = store::make(Op::ne, {store::column("expires_at", store::Type::integer),
                                            store::literal(std::int64_t{0}, store::Type::integer)});
  out.push_back(store::remove("oauth_refresh_families", store::both(expires, below("expires_at", now))));
  return out;
}

}  // namespace mandate::oauth
