#include "tenant/making.h"

#include <set>

namespace mandate::tenant {
namespace {

std::set<std::string_view> keys_of(const Service& service) {
  std::set<std::string_view> out{service.application_key_sealed, service.master_key_sealed, service.previous_master_key_sealed, service.system_key_sealed};
  for (const std::string& each : service.v2_signing_keys_sealed) out.insert(each);
  for (const RetiredKey& each : service.retired_keys) out.insert(each.sealed);
  out.erase(std::string_view());
  return out;
}

}  // namespace

bool same_making(const Service& a, const Service& b) {
  if (a.name != b.name) return false;
  if (&a == &b) return true;
  const std::set<std::string_view> before = keys_of(a), now = keys_of(b);
  if (before.empty() && now.empty()) return true;
  return std::ranges::any_of(now, [&](std::string_view each) { return before.contains(each); });
}

bool still_there(const Tenants& tenants, const Tenant& then, const Service& service) {
  const Result<Here> here = tenants.by_name(then.name);
  if (!here.ok()) return false;
  const auto now = (*here)->services.find(service.name);
  return now != (*here)->services.end() && same_making(service, now->second);
}

}  // namespace mandate::tenant
