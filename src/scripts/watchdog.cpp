#include "scripts/watchdog.h"

namespace mandate::scripts {

Verdict Watchdog::look(Pulse& pulse, bool busy, Pulse::Time now) const {
  if (pulse.told) return now - pulse.ending > obey ? Verdict::kill_process : Verdict::fine;
  if (!busy) {
    pulse.asked = false;
    return Verdict::fine;
  }
  if (!pulse.asked) {
    if (now - pulse.heard < interval()) return Verdict::fine;
    pulse.asked = true;
    pulse.pinged = now;
    return Verdict::ask;
  }
  if (now - pulse.pinged <= (pulse.up ? limit : start_limit)) return Verdict::fine;
  pulse.told = true;
  pulse.ending = now;
  return Verdict::end_worker;
}

}  // namespace mandate::scripts
