#include "oauth/authorize/consents.h"

#include <algorithm>

#include "oauth/scopes.h"

namespace mandate::oauth {
namespace {

std::string audience_of(const Asked& asked) { return asked.api ? asked.api->identifier : std::string(); }

}  // namespace

Task<std::optional<std::vector<std::string>>> consented(const Asked& asked, std::string user_id) {
  store::Plan plan;
  plan.table = "oauth_consents";
  plan.where = store::both(store::equals("user_id", std::move(user_id)),
                           store::both(store::equals("client_id", asked.client->client_id),
                                       store::equals("audience", audience_of(asked))));
  CO_TRY(const std::optional<store::Row> row, co_await asked.here.store->get(std::move(plan)));
  std::optional<std::vector<std::string>> out;
  if (row) out = scopes_of(row->text("scope"));
  co_return out;
}

bool needs_consent(const Asked& asked, const std::optional<std::vector<std::string>>& given) {
  if (asked.prompt_consent) return true;
  if (asked.client->is_first_party) return false;
  if (!given) return true;
  return !std::ranges::all_of(asked.scopes,
                              [&](const std::string& scope) { return has_scope(*given, scope); });
}

Task<void> record_consent(const Asked& asked, std::string user_id, Millis now) {
  CO_TRY(const std::optional<std::vector<std::string>> before, co_await consented(asked, user_id));
  std::vector<std::string> scopes = before.value_or(std::vector<std::string>{});
  for (const std::string& scope : asked.scopes)
    if (!has_scope(scopes, scope)) scopes.push_back(scope);
  store::Batch batch;
  batch.add(store::upsert("oauth_consents", {"user_id", "client_id", "audience"},
                          {{"user_id", std::move(user_id)},
                           {"client_id", asked.client->client_id},
                           {"audience", audience_of(asked)},
                           {"scope", join(scopes)},
                           {"granted_at", now}}));
  CO_TRY([[maybe_unused]] const store::Outcome done, co_await asked.here.store->mutate(std::move(batch)));
  co_return ok();
}

}  // namespace mandate::oauth
