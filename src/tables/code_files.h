// Where the files of a service's code come from. tables/code brings the implementation.
#pragma once

#include <optional>

#include "scripts/bundle.h"
#include "tenant/tenants.h"

namespace mandate::tables {

/// The files that a service's snapshot names, loaded once per version. Thread-safe.
class CodeFiles {
 public:
  virtual ~CodeFiles() = default;
  /// Without waiting, for every call of a script passes here: null for a service without files; nullopt when its files
  /// have to be loaded first.
  virtual std::optional<scripts::BundlePtr> at_hand(const tenant::Tenant& tenant, const tenant::Service& service) = 0;
  /// `service` lives in `here`. Code::corrupt when what is stored is not what the snapshot names; errors of the store.
  virtual Task<scripts::BundlePtr> load(tenant::Here here, const tenant::Service* service) = 0;
};

}  // namespace mandate::tables
