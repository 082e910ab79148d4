#include "identity/shown_keys.h"

namespace mandate::identity {
namespace {
constexpr std::size_t kKept = 1000;
}

Result<KeysShown> ShownKeys::shown(const tenant::Service& service, const http::Request& request) {
  KeysShown out;
  const std::string_view application = request.headers.get("X-ZUMO-APPLICATION"), master = request.headers.get("X-ZUMO-MASTER");
  if (!application.empty()) {
    TRY(out.application, equal(service, "application_key", service.application_key_sealed, application));
    if (!out.application) {
      TRY(out.application, retired(service, "application_key", application));
    }
  }
  if (!master.empty()) {
    TRY(out.master, equal(service, "master_key", service.master_key_sealed, master));
    if (!out.master) {
      TRY(out.master, equal(service, "previous_master_key", service.previous_master_key_sealed, master));
    }
    if (!out.master) {
      TRY(out.master, retired(service, "master_key", master));
    }
  }
  return out;
}

Result<bool> ShownKeys::retired(const tenant::Service& service, std::string_view field, std::string_view given) {
  for (const tenant::RetiredKey& key : service.retired_keys) {
    if (key.field != field || !clock_ || clock_->now_ms() >= key.until) continue;
    TRY(const bool same, equal(service, field, key.sealed, given));
    if (same) return true;
  }
  return false;
}

Result<bool> ShownKeys::equal(const tenant::Service& service, std::string_view field, const std::string& sealed, std::string_view given) {
  if (sealed.empty()) return false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = opened_.find(sealed); found != opened_.end()) return secret_equal(found->second, given);
  }
  TRY(Secret plain, tenants_.vault().unseal(sealed, tenant::sealed::service(service.name, field)));
  if (plain.empty()) return false;
  const bool same = secret_equal(plain, given);
  const std::lock_guard lock(mutex_);
  if (opened_.size() >= kKept) opened_.clear();
  opened_.emplace(sealed, std::move(plain));
  return same;
}

}  // namespace mandate::identity
