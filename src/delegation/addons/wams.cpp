// api_type "wams": the token of a mobile backend (identity-wire 2.8).
#include <array>
#include <unordered_map>

#include "base/loop.h"
#include "delegation/addons/addon.h"
#include "delegation/addons/wams_key.h"
#include "identity/bearer.h"
#include "identity/credentials.h"
#include "jose/jws.h"

namespace mandate::delegation {
namespace {

/// {"github":{"userId":…,"accessToken":…}}: what getIdentities() of an old script gives.
JsonObject identities_of(const identity::User& user) {
  JsonObject out;
  for (const Json& identity : user.identities) {
    if (!identity.is_object()) continue;
    const auto provider = text_member(identity.get_object(), "provider");
    if (!provider) continue;
    JsonObject entry;
    entry["userId"] = user.user_id;
    if (const auto token = text_member(identity.get_object(), "access_token")) entry["accessToken"] = *token;
    out[*provider] = std::move(entry);
  }
  return out;
}

class Wams final : public Addon {
 public:
  explicit Wams(const tenant::Vault& vault) : vault_(vault) {}

  std::string_view type() const override { return "wams"; }

  Result<void> ready(const tenant::Tenant& tenant, const tenant::Client& target) const override {
    // A key that is remembered opened before.
    if (const Loop* loop = Loop::current(); loop && loops_[loop->index() % loops_.size()].contains(&target)) return {};
    const auto key = wams_master_key(tenant, target, vault_);
    if (!key.ok()) return key.error();
    return {};
  }

  std::int64_t lifetime(const tenant::Client& target) const override {
    const auto own = integer_member(target.addons.at("wams"), "lifetime_in_seconds");
    return own && *own > 0 ? *own : target.lifetime_in_seconds;
  }

  Task<std::string> issue(const Decision& d) override {
    CO_TRY(const Known known, this->known(d));
    const identity::User& user = *d.subject.user;
    const JsonObject& settings = d.target.addons.at("wams");
    JsonObject claims = wams_claims(settings, {d.issuer, d.target.client_id, user.user_id, d.now, d.exp});
    // Ours beyond the published list: who asked (for chains), and what a block or a restore reaches it by (TK-10).
    claims["azp"] = d.caller.client_id;
    claims[identity::kEpochClaim] = std::to_string(d.here->epoch) + "." + std::to_string(user.epoch);
    if (bool_member(settings, "include_identities").value_or(false)) {
      CO_TRY(const Secret master, wams_master_key(*d.here, d.target, vault_));
      claims[identity::kCredentialsClaim] = identity::encrypt_credentials(master.reveal(), to_json(identities_of(user)));
    }
    co_return jose::sign_compact(known.key, kWamsHeader, to_json(claims));
  }

 private:
  struct Known {
    std::shared_ptr<const tenant::Tenant> snapshot;  ///< keeps the Client alive that the map is keyed by
    jose::Key key;
  };
  using PerLoop = std::unordered_map<const tenant::Client*, Known>;

  /// The derived key, once per configuration snapshot and loop.
  Result<Known> known(const Decision& d) {
    const Loop* loop = Loop::current();
    PerLoop* mine = loop ? &loops_[loop->index() % loops_.size()] : nullptr;
    if (mine)
      if (const auto found = mine->find(&d.target); found != mine->end()) return found->second;
    TRY(const Secret master, wams_master_key(*d.here, d.target, vault_));
    Known fresh{d.here.config, identity::zumo_key(master.reveal())};
    if (mine) {
      std::erase_if(*mine, [&](const auto& e) { return e.second.snapshot != d.here.config && e.second.snapshot->name == d.here->name; });
      mine->emplace(&d.target, fresh);
    }
    return fresh;
  }

  const tenant::Vault& vault_;
  std::array<PerLoop, 64> loops_;
};

}  // namespace

std::unique_ptr<Addon> wams_addon(const tenant::Vault& vault) { return std::make_unique<Wams>(vault); }

}  // namespace mandate::delegation
