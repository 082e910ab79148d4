// What an add-on does: makes the token that the target understands, for this person.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_pool.h"
#include "delegation/subject.h"

namespace mandate::delegation {

/// A decided delegation: every check is behind it. The references must outlive the issuing.
struct Decision {
  const tenant::Here& here;
  const tenant::Client& caller;
  const tenant::Client& target;
  const Subject& subject;          ///< user loaded
  std::string_view issuer;
  std::vector<std::string> scopes; ///< as asked, already cut down; empty = passthrough
  bool passthrough = true;
  std::int64_t now = 0, exp = 0;   ///< seconds
  Deadline deadline = kNoDeadline;
};

/// One kind of target. Stateless but for keys remembered per loop; thread-safe.
class Addon {
 public:
  virtual ~Addon() = default;
  virtual std::string_view type() const = 0;
  /// invalid_request that names the setting which is missing or wrong; success when it could issue.
  virtual Result<void> ready(const tenant::Tenant& tenant, const tenant::Client& target) const = 0;
  /// Seconds a token lives when nothing bounds it.
  virtual std::int64_t lifetime(const tenant::Client& target) const = 0;
  virtual Task<std::string> issue(const Decision& decision) = 0;
};

/// An id_token for the target client, as if the person had logged in there.
std::unique_ptr<Addon> app_addon(const tenant::Vault& vault, CpuPool& pool);
/// The mobile backend's token (identity-wire 2.8).
std::unique_ptr<Addon> wams_addon(const tenant::Vault& vault);

}  // namespace mandate::delegation
