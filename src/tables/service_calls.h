// What every call of a service's scripts has around it: its realm, its files, its settings.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "scripts/host.h"
#include "tables/code_files.h"

namespace mandate::tables {

/// Thread-safe; one for the house.
class ServiceCalls {
 public:
  /// `files` null: no service has any. Both must outlive it.
  ServiceCalls(const tenant::Tenants& tenants, CodeFiles* files) : tenants_(tenants), files_(files) {}

  /// Sets realm, bundle and environment of a call, without waiting. In the bundle, tables' hooks are what the configuration
  /// says they are, though the folder's own files be missing, older, or spelt otherwise. False when the service's files have to be loaded first:
  /// then the bundle is still to be set, with load(). `settings` false: a script that looks at none is spared them.
  bool prepare(scripts::Call& call, const tenant::Here& here, const tenant::Service& service, bool settings = true);
  Task<scripts::BundlePtr> load(tenant::Here here, const tenant::Service* service);

  /// {"env":{…},"config":{…},"push"?: true,"coded"?:[tables]}: MS_* and the service's own settings (mobile-backend-wire 5.9), its keys
  /// opened, whether it reaches devices, and which tables its app has code for. Made once for each revision of the configuration.
  std::shared_ptr<const std::string> environment(const tenant::Here& here, const tenant::Service& service);

  /// The hooks of a service's tables as files, for a service that has no folder.
  scripts::BundlePtr hooks(const tenant::Here& here, const tenant::Service& service);

 private:
  struct Known {
    std::uint64_t revision = 0;
    std::shared_ptr<const std::string> text;
    scripts::BundlePtr hooks;
    std::string base{};          ///< version of the folder's files that `whole` was made of
    scripts::BundlePtr whole{};  ///< those files, with `hooks` among them
  };
  Known known(const tenant::Here& here, const tenant::Service& service);
  scripts::BundlePtr with_hooks(const tenant::Here& here, const tenant::Service& service, scripts::BundlePtr files);
  const tenant::Tenants& tenants_;
  CodeFiles* files_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;  ///< by realm
};

/// "table/TodoItem.js": where the hooks of a table stand among the files of its service.
std::string hooks_file(std::string_view table);
/// How a file of the service is spelt, case aside, as its scripts find it too; nullptr: there is none.
const std::string* spelling_of(const scripts::Bundle& bundle, std::string_view path);
/// Whether a script's text may look at process.env or at mobileservice-config.
bool looks_at_settings(std::string_view source);

}  // namespace mandate::tables
