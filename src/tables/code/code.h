// The code of services: its versions in the tenant's store, and the one that runs in memory.
//
// A version is a list of files (manifest); each file is kept once, by its hash, for all versions that have it. Which version runs
// is configuration (tenant::ServiceCode), so that a change of it is a change of configuration: at once, on every node.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "base/cpu_pool.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/store.h"
#include "tables/code/folder.h"
#include "tables/code/manifest.h"
#include "tables/code_files.h"
#include "tenant/tenants.h"

namespace mandate::tables::code {

struct Version {
  std::int64_t version = 0, files = 0, bytes = 0;
  Millis made_at = 0;
  std::string note;
};

/// Thread-safe; on any loop. Hashing, packing and unpacking are done in the pool, a piece at a time.
class CodeStore final : public CodeFiles {
 public:
  /// `most_kept`: bytes of files of versions that are kept in memory beside those that calls hold.
  CodeStore(CpuPool& pool, Log& log, Metrics& metrics, std::size_t most_kept = 128 << 20);
  ~CodeStore() override;

  std::optional<scripts::BundlePtr> at_hand(const tenant::Tenant& tenant, const tenant::Service& service) override;
  /// Read once, whoever asks meanwhile.
  Task<scripts::BundlePtr> load(tenant::Here here, const tenant::Service* service) override;
  /// Whether a version is being read: what closing the stores should wait for.
  bool loading() const;

  Task<Manifest> manifest_of(const Files& files);
  /// All files of a version. corrupt when one is missing.
  Task<Files> files(store::Store& store, Manifest manifest);

  /// What adds `files` as version `version`, for one batch with the change of configuration: files that the store lacks, the
  /// version itself, and the end of versions beyond the newest kKept, `active` excepted. Read before the configuration's
  /// revision is raised, so that of two deployments at once one fails.
  Task<std::vector<store::Mutation>> filing(store::Store& store, std::string service, Version version, std::int64_t active,
                                            const Manifest& manifest, const Files& files);

  static constexpr std::int64_t kKept = 20;

 private:
  struct Entry {
    scripts::BundlePtr bundle;
    std::size_t bytes = 0;
    std::list<std::string>::iterator use;
  };
  struct Loading;

  Task<scripts::BundlePtr> read(store::Store& store, std::string service, std::int64_t version, std::string hash);
  void keep(const std::string& hash, scripts::BundlePtr bundle);

  CpuPool& pool_;
  Log& log_;
  Counter& loads_;
  const std::size_t most_kept_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> kept_;  ///< by hash of the manifest
  std::list<std::string> uses_;                     ///< the latest first
  std::size_t bytes_ = 0;
  std::map<std::string, std::shared_ptr<Loading>, std::less<>> loading_;
};

/// What scripts see of a folder that is no version yet.
scripts::BundlePtr bundle_of(const Files& files, std::string version);

/// Newest first.
Task<std::vector<Version>> versions(store::Store& store, std::string service);
/// not_found.
Task<Manifest> manifest(store::Store& store, std::string service, std::int64_t version);
/// What removes all versions of a service, and the files that no other service has. Read before the configuration's revision is
/// raised, as filing() is.
Task<std::vector<store::Mutation>> forgetting(store::Store& store, std::string service);

}  // namespace mandate::tables::code
