// Token → Principal at the doors of a mobile service (mobile-backend-wire 4.1 … 4.4).
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/request.h"
#include "identity/principal.h"
#include "identity/users.h"
#include "jose/jwt.h"
#include "jose/verified_cache.h"
#include "tenant/tenants.h"

namespace mandate::identity {

/// Everything a service's tokens can be signed with, unsealed and derived once per configuration snapshot.
struct ServiceKeys {
  std::vector<jose::Key> v1;  ///< 32 raw bytes of SHA-256(masterKey + "JWTSig"): current, then previous master key
  std::vector<jose::Key> v2;  ///< V2 signing keys (hex, base64 or text), each for HS256, HS384 and HS512
  std::vector<std::string> audiences;  ///< client ids and API identifiers that mean this service (DG-13)
  std::string login_audience;  ///< that of our own tokens from the service's own login; empty when it has none
  Secret application_key, master_key;
  Secret previous_master_key;  ///< while keys are being changed; empty when there is none
  std::vector<Secret> retired_application_keys, retired_master_keys;  ///< of rotations whose overlap is not over
  Millis until = 0;            ///< when the first of the retired keys ends: open them anew then; 0 = none does
};
/// Keys that a rotation replaced are among them while their time is not over at `now`; without it none is. Code::corrupt when a
/// sealed key does not open.
Result<ServiceKeys> open_service_keys(const tenant::Tenant& tenant, const tenant::Service& service, const tenant::Vault& vault,
                                      std::optional<Millis> now = std::nullopt);

/// The key a V1 token is signed with (identity-wire 2.8).
jose::Key zumo_key(std::string_view master_key);

/// The user id a mobile service shows to scripts. `format`: "{user_id}" (as is); "{provider}:{id}", which turns
/// "facebook|123" and "oidc|facebook|123" into "Facebook:123" so that rows of the old service keep their owner; or "sid":
/// "sid:" and 32 hex digits, the form of V2, which tells nobody who it is.
std::string service_user_id(std::string_view format, std::string_view user_id);

/// A token that was found good.
struct Bearer {
  Principal principal;
  std::int64_t exp = 0;  ///< seconds
  /// Minted by this tenant: the person must still exist and the epochs must still hold (TK-10).
  bool ours = false;
  std::string subject;   ///< the user_id of this tenant behind principal.user_id, when ours
  std::optional<std::int64_t> user_epoch;
  std::optional<std::uint64_t> tenant_epoch;
  /// Where the count of the users table's commits stood when the person was last found in good standing; 0 = never.
  /// Written and read on one loop.
  mutable std::uint64_t held_at = 0;
};

/// Where a token is shown.
struct BearerPlace {
  const tenant::Tenant& tenant;
  const ServiceKeys& keys;
  std::string_view issuer;  ///< the tenant's, with its last slash
  std::string_view origin;  ///< "https://host" of the request, with the service's prefix: V2 tokens name it
};
/// Pure. The checks of mobile-backend-wire 4.3 in their order; the error is Code::unauthorized and its hint the exact text
/// that follows "Error: ". V2 tokens are also checked for iss and aud, our own for iss, aud and typ.
Result<Bearer> read_bearer(const BearerPlace& place, std::string_view token, std::int64_t now);

/// The claim by which our own service tokens carry "tenant epoch.user epoch", so that a block or a restore reaches them.
inline constexpr std::string_view kEpochClaim = "urn:mandate:epoch";
/// The user_id of this tenant, in tokens whose `sub` is the service's form of it.
inline constexpr std::string_view kSubjectClaim = "urn:mandate:sub";
/// The connection that the person came through, in tokens of a service's own login.
inline constexpr std::string_view kConnectionClaim = "urn:mandate:connection";

/// Whether a token of ours with these claims was revoked. The list is kept above (oauth); this room only asks.
using IsRevoked = std::function<Task<bool>(store::Store& store, std::shared_ptr<const JsonObject> claims)>;

/// Who is calling, with keys and verified tokens remembered per loop. Thread-safe.
class Bearers {
 public:
  /// `is_revoked` is asked at each use of a token that has a `jti`; empty = no such list.
  Bearers(const tenant::Vault& vault, const Users& users, const Clock& clock, IsRevoked is_revoked = {})
      : vault_(vault), users_(users), clock_(clock), is_revoked_(std::move(is_revoked)) {}

  /// Reads X-ZUMO-AUTH (else Authorization: Bearer), X-ZUMO-MASTER and X-ZUMO-APPLICATION; the highest level proved counts.
  /// unauthorized: a token is there and is not good, whatever else is proved (4.3). A wrong key only proves nothing.
  Task<Principal> identify(const tenant::Here& here, const tenant::Service& service, const http::Request& request);

  /// The same for a token that came another way (the query of a WebSocket); without keys.
  Task<Principal> identify_token(const tenant::Here& here, const tenant::Service& service, const http::Request& request,
                                 std::string token);

 private:
  struct Known {
    std::shared_ptr<const tenant::Tenant> snapshot;  ///< keeps the Service alive that the map is keyed by
    std::shared_ptr<const ServiceKeys> keys;
    std::shared_ptr<jose::VerifiedCache<Bearer>> verified;
    const std::atomic<std::uint64_t>* user_changes = nullptr;  ///< null: the engine cannot tell
  };
  using PerLoop = std::unordered_map<const tenant::Service*, Known>;

  Result<Known> known(const tenant::Here& here, const tenant::Service& service);
  Result<std::shared_ptr<const Bearer>> verified(const Known& known, std::string_view issuer, const http::Request& request,
                                                 std::string_view token);
  Task<void> still_holds(const tenant::Here& here, const Known& known, std::shared_ptr<const Bearer> bearer);

  const tenant::Vault& vault_;
  const Users& users_;
  const Clock& clock_;
  const IsRevoked is_revoked_;
  std::array<PerLoop, 64> loops_;
};

}  // namespace mandate::identity
