// The child's source, compiled into the binary.
#pragma once

#include <string>

namespace mandate::scripts {

/// All of host/*.js as one script, in the order the build lists them.
std::string host_source();

}  // namespace mandate::scripts
