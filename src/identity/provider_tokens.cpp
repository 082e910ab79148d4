#include "identity/provider_tokens.h"

namespace mandate::identity {
namespace {

using store::equals;

/// Names the row, so that a sealed text cannot be moved to another person's.
std::string context(std::string_view user_id, std::string_view connection) {
  return "provider_tokens/" + std::string(user_id) + "/" + std::string(connection);
}

struct Member {
  std::string_view name;
  std::string ProviderTokens::*member;
};
constexpr Member kTexts[] = {{"access_token", &ProviderTokens::access_token},
                             {"access_token_secret", &ProviderTokens::access_token_secret},
                             {"refresh_token", &ProviderTokens::refresh_token},
                             {"id_token", &ProviderTokens::id_token}};

std::string text_of(const ProviderTokens& tokens) {
  JsonObject out;
  for (const auto& [name, member] : kTexts)
    if (!(tokens.*member).empty()) out[name] = tokens.*member;
  if (tokens.expires_at) out["expires_at"] = tokens.expires_at;
  return to_json(out);
}

Result<ProviderTokens> tokens_of(std::string_view text) {
  TRY(const Json json, parse_json(text));
  if (!json.is_object()) return Error(Code::corrupt, "", "provider tokens are no object");
  ProviderTokens out;
  for (const auto& [name, member] : kTexts)
    if (const auto value = text_member(json.as_object(), name)) out.*member = *value;
  out.expires_at = integer_member(json.as_object(), "expires_at").value_or(0);
  return out;
}

}  // namespace

Task<void> keep_provider_tokens(tenant::Here here, const tenant::Vault& vault, std::string user_id, std::string connection,
                                ProviderTokens tokens, Millis now) {
  if (tokens.refresh_token.empty()) {
    CO_TRY(const std::optional<ProviderTokens> before, co_await provider_tokens(here, vault, user_id, connection));
    if (before) tokens.refresh_token = before->refresh_token;
  }
  const std::string sealed = vault.seal(text_of(tokens), context(user_id, connection));
  store::Batch batch;
  batch.add(store::upsert("provider_tokens", {"user_id", "connection"},
                          {{"user_id", user_id}, {"connection", connection}, {"sealed", sealed}, {"updated_at", now}}));
  CO_TRY([[maybe_unused]] const store::Outcome done, co_await here.store->mutate(std::move(batch)));
  co_return ok();
}

Task<std::optional<ProviderTokens>> provider_tokens(tenant::Here here, const tenant::Vault& vault, std::string user_id,
                                                    std::string connection) {
  store::Plan plan;
  plan.table = "provider_tokens";
  plan.where = store::both(equals("user_id", user_id), equals("connection", connection));
  CO_TRY(const std::optional<store::Row> row, co_await here.store->get(plan));
  if (!row) co_return std::optional<ProviderTokens>();
  const Result<Secret> plain = vault.unseal(row->text("sealed"), context(user_id, connection));
  if (!plain.ok()) co_return std::optional<ProviderTokens>();
  Result<ProviderTokens> tokens = tokens_of(plain->reveal());
  if (!tokens.ok()) co_return std::optional<ProviderTokens>();
  co_return std::optional<ProviderTokens>(std::move(*tokens));
}

}  // namespace mandate::identity
