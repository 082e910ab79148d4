#include "base/base64.h"
#include "base/crypto.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

namespace {
// The master key itself never meets a cipher: another use of it can get another label.
std::string vault_key(const Secret& master) { return hmac_sha256(master.reveal(), "mandate vault 1"); }
}  // namespace

std::string Vault::seal(std::string_view plain, std::string_view context) const {
  return base64url(mandate::seal(vault_key(key_), plain, context, random_));
}

Result<Secret> Vault::unseal(std::string_view sealed, std::string_view context) const {
  const std::optional<std::string> bytes = base64url_decode(sealed);
  if (!bytes) return Error(Code::corrupt, "", "sealed text is not base64url: " + std::string(context));
  Result<std::string> plain = mandate::unseal(vault_key(key_), *bytes, context);
  if (!plain.ok()) return Error(Code::corrupt, "", "cannot unseal " + std::string(context) + ": another master key?");
  return Secret(std::move(plain).value());
}

namespace sealed {

// A unit separator cannot be part of an identifier, so no two places share a context.
static std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    if (!out.empty()) out += '\x1f';
    out += part;
  }
  return out;
}

std::string client_secret(std::string_view client_id) { return join({"client_secret", client_id}); }
std::string addon(std::string_view client_id, std::string_view type, std::string_view field) {
  return join({"addon", client_id, type, field});
}
std::string connection(std::string_view name, std::string_view field) { return join({"connection", name, field}); }
std::string service(std::string_view service, std::string_view field) { return join({"service", service, field}); }
std::string signing_key(std::string_view kid) { return join({"signing_key", kid}); }
std::string api(std::string_view identifier) { return join({"api", identifier}); }

}  // namespace sealed

}  // namespace mandate::tenant
