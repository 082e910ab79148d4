// A tenant's file, YAML or JSON: refused or understood, and what is understood exports to a file that means the same.
#include <cstdlib>

#include "base/yaml.h"
#include "tenant/desired.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace mandate;
  const auto desired = tenant::parse_desired_text({reinterpret_cast<const char*>(data), size});
  if (!desired.ok()) return 0;
  SeededRandom random;
  const tenant::Vault vault("key", random);
  const auto plan = tenant::plan_desired(*desired, {}, vault, random);
  if (!plan.ok()) return 0;
  const auto file = tenant::export_tenant(desired->tenant, plan->after, nullptr);
  if (!file.ok()) std::abort();
  const auto again = tenant::parse_desired_text(to_yaml(*file));
  if (!again.ok()) std::abort();
  const auto nothing = tenant::plan_desired(*again, plan->after, vault, random);
  if (!nothing.ok() || !nothing->changes.empty()) std::abort();
  return 0;
}
