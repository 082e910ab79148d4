// The tenants of this server: found by host name, each with its own store.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "http/request.h"
#include "store/store.h"
#include "tenant/tenant.h"

namespace mandate::tenant {

/// Opens and seals what is secret in configuration (KS-1): AES-256-GCM under the master key, which lives outside the data
/// directory. The context names the place, so a sealed text cannot be moved.
class Vault {
 public:
  Vault(std::string master_key, Random& random) : key_(std::move(master_key)), random_(random) {}
  std::string seal(std::string_view plain, std::string_view context) const;       ///< base64url text
  Result<Secret> unseal(std::string_view sealed, std::string_view context) const; ///< Code::corrupt
 private:
  Secret key_;
  Random& random_;
};

/// A tenant at work: its configuration of this moment and its store. Cheap to copy; hold it for one request.
struct Here {
  std::shared_ptr<const Tenant> config;
  store::Store* store = nullptr;

  const Tenant& operator*() const { return *config; }
  const Tenant* operator->() const { return config.get(); }
};

/// Thread-safe. Snapshots are replaced whole when configuration changes.
class Tenants {
 public:
  virtual ~Tenants() = default;
  /// By Host field; the default tenant when no other claims the name. misdirected_request when there is none (HT-5).
  virtual Result<Here> by_host(std::string_view host) const = 0;
  virtual Result<Here> by_name(std::string_view name) const = 0;
  virtual std::vector<std::string> names() const = 0;
  virtual const Vault& vault() const = 0;
};

/// {iss} for this request: https://host/ as configured, or as asked when the tenant fixes none (identity-wire 0.3 #20).
std::string issuer_of(const Tenant& tenant, const http::Request& request);

/// Contexts for the vault, one spelling for writer and reader.
namespace sealed {
std::string client_secret(std::string_view client_id);
std::string addon(std::string_view client_id, std::string_view type, std::string_view field);
std::string connection(std::string_view name, std::string_view field);
std::string service(std::string_view service, std::string_view field);
std::string signing_key(std::string_view kid);
std::string api(std::string_view identifier);
}  // namespace sealed

}  // namespace mandate::tenant
