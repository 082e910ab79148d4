// mandated, whole: reads its options, builds the house, opens the doors, and leaves in order.
#pragma once

#include <string>
#include <vector>

#include "server/edition.h"

namespace mandate::server {

/// Returns what the process ends with: 0, 1 = it could not start, 2 = wrong options, 3 = the data is of a newer version (RL-14).
/// Once, on the main thread, before there are others.
int run(std::vector<std::string> arguments, const Edition& edition);

}  // namespace mandate::server
