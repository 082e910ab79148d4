// Cron texts of tenants' files: no crash, and the next time is later, a whole minute, and stable.
#include "tenant/schedule.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cron = mandate::tenant::Cron::parse(text);
  if (!cron.ok()) return 0;
  const mandate::Millis begin = 1'700'000'000'000;
  const mandate::Millis next = cron->next(begin);
  if (next == 0) __builtin_trap();  // parse() refuses what never comes
  if (next <= begin || next % 60'000 != 0 || cron->next(next - 1) != next || cron->next(next) == next) __builtin_trap();
  return 0;
}
