// api_type "app": an id_token for the target client (identity-wire 2.5).
#include "delegation/addons/addon.h"
#include "identity/bearer.h"
#include "oauth/issuer.h"
#include "oauth/scopes.h"
#include "oauth/signing.h"

namespace mandate::delegation {
namespace {

/// Claims about the token, not about the person; what is not named here must have been in the subject already.
constexpr std::string_view kAboutTheToken[] = {"iss", "sub", "aud", "iat", "exp", "azp", identity::kEpochClaim};

bool about_the_token(std::string_view name) { return std::ranges::find(kAboutTheToken, name) != std::end(kAboutTheToken); }

/// Everything the target could be told, before it is cut down to what the source was told.
std::vector<std::string> every_scope() { return {"openid", "profile", "email", "phone", "address"}; }

class App final : public Addon {
 public:
  App(const tenant::Vault& vault, CpuPool& pool) : vault_(vault), pool_(pool) {}

  std::string_view type() const override { return "app"; }

  Result<void> ready(const tenant::Tenant& tenant, const tenant::Client& target) const override {
    const auto key = oauth::id_token_key(tenant, target, vault_);
    if (key.ok()) return {};
    return Error(Code::invalid_request, "The target has no key to sign with.", key.error().detail);
  }

  std::int64_t lifetime(const tenant::Client& target) const override { return target.lifetime_in_seconds; }

  Task<std::string> issue(const Decision& d) override {
    oauth::IdToken wanted;
    wanted.user = &*d.subject.user;
    wanted.azp = d.caller.client_id;
    wanted.lifetime_seconds = d.exp - d.now;
    wanted.tenant_epoch = d.here->epoch;
    wanted.full_profile = d.here->flag(oauth::kLegacyProfileFlag);
    wanted.scopes = d.passthrough && d.subject.kind == SubjectKind::id_token ? every_scope() : d.scopes;
    JsonObject claims = oauth::id_token_claims(d.target, d.issuer, wanted, d.now);
    if (d.subject.kind == SubjectKind::id_token) {
      JsonObject kept;  // never more about the person than the source was told (DG-6)
      for (const auto& [name, value] : claims)
        if (about_the_token(name) || d.subject.claims.contains(name)) kept.emplace(name, value);
      claims = std::move(kept);
    }
    CO_TRY(jose::Key key, oauth::id_token_key(*d.here, d.target, vault_));
    std::string typ = "JWT";
    Result<std::string> token = co_await oauth::sign(pool_, std::move(key), std::move(claims), std::move(typ), d.deadline);
    co_return token;
  }

 private:
  const tenant::Vault& vault_;
  CpuPool& pool_;
};

}  // namespace

std::unique_ptr<Addon> app_addon(const tenant::Vault& vault, CpuPool& pool) { return std::make_unique<App>(vault, pool); }

}  // namespace mandate::delegation
