// All tenants of this server: their stores, and the snapshots that requests hold.
//
// Each tenant's configuration lives in the tenant's own store, so that a tenant can be copied or moved as one file. Which
// tenants there are is kept in one more store, "system".
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/cpu_pool.h"
#include "base/log.h"
#include "base/loop.h"
#include "tenant/objects.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

/// Opens (or makes) the store of that name with every room's migrations run. Called for "system" and for each tenant.
using OpenStore = std::function<Result<std::unique_ptr<store::Store>>(std::string_view name)>;

/// Look-ups are thread-safe, take no lock on a loop's thread and allocate nothing. The rest runs on any one loop at a time
/// per tenant; concurrent changes of one tenant end in one success and conflicts.
class TenantDirectory final : public Tenants {
 public:
  /// `default_tenant` answers for host names nobody claims; empty = the only tenant, when there is one; "-" = none (HT-5).
  TenantDirectory(OpenStore open_store, Vault vault, CpuPool& pool, const Clock& clock, Random& random, Log& log,
                  std::string default_tenant = {});
  ~TenantDirectory() override;

  Result<Here> by_host(std::string_view host) const override;
  Result<Here> by_name(std::string_view name) const override;
  std::vector<std::string> names() const override;
  const Vault& vault() const override { return vault_; }

  /// False when a disk refused a write to any of the stores (RL-4). Thread-safe; takes a lock.
  bool writable() const;

  /// Whether news of configuration are being read: what closing the stores should wait for. Thread-safe.
  bool reading() const { return reading_ > 0; }
  /// The store that lists the tenants. After open().
  store::Store& system() const { return *system_; }
  /// Opens the system store and every tenant listed in it. Once, at start, on the loop that will see the changes of others:
  /// tenants that another node makes come by themselves, like changes of their configuration, and what could not be read
  /// is read again until it can.
  Task<void> open();
  /// A new, empty tenant with its keys and a default service. conflict when the name is taken, invalid_request for a bad name.
  Task<Here> create(std::string name);
  /// Reads the tenant's configuration again and publishes it. Changes seen through the store's watch come here by themselves.
  Task<void> reload(std::string name);
  /// The stored objects of this moment, for editing.
  Task<Objects> objects(std::string name);
  /// Writes changes made on top of `revision` in one batch, then publishes them. `changes` carry revision + 1.
  Task<void> commit(std::string name, std::uint64_t revision, std::vector<store::Mutation> changes);
  /// The keys that a configuration of these objects needs and does not have; borrowed until the task ends.
  Task<std::vector<store::Mutation>> missing_keys(const std::string& name, const Objects& have, std::uint64_t revision);
  /// Moves every algorithm the tenant has keys for (or only `alg`) one step on; `also` goes into the same batch (the audit
  /// row). invalid_request when there are no keys of `alg`.
  /// `revoke`: the current key is in wrong hands and stops verifying at once.
  Task<void> rotate_keys(std::string name, std::optional<jose::Alg> alg, bool revoke, std::vector<store::Mutation> also = {});

 private:
  struct Slot;
  struct View;
  struct Retries;
  struct alignas(64) Cached {
    std::uint64_t version = 0;
    std::shared_ptr<const View> view;
  };

  std::shared_ptr<const View> view() const;
  Slot* slot(std::string_view name) const;
  bool published(const Slot& slot) const;
  Task<Slot*> open_slot(std::string name);
  Task<void> complete(std::string name);
  /// Opens the tenant here, makes what it lacks and reads it.
  Task<void> admit(std::string name);
  Task<void> admit_listed();
  void list_changed();
  void changed(std::string name);
  /// Once, a moment from now, unless it is the data that is wrong.
  void again_later(std::string what, const Error& error, std::function<void()> again);
  void publish(Slot& slot, std::shared_ptr<const Tenant> config);
  void list(Slot& slot);
  void show();  ///< with mutex_ held

  OpenStore open_store_;
  Vault vault_;
  CpuPool& pool_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  std::string default_tenant_;
  std::unique_ptr<store::Store> system_;
  std::unique_ptr<store::Store::Watch> system_watch_;
  std::atomic<int> reading_{0};
  bool listing_ = false, list_again_ = false;  ///< on the watching loop
  std::shared_ptr<Retries> retries_;           ///< of the watching loop; ends with it

  mutable std::mutex mutex_;  ///< slots_ and view_
  std::map<std::string, std::unique_ptr<Slot>, std::less<>> slots_;
  std::shared_ptr<const View> view_;
  std::atomic<std::uint64_t> version_{1};
  mutable std::array<Cached, 64> cached_;  ///< one per loop, touched by that loop's thread only
};

}  // namespace mandate::tenant
