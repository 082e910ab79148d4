// What the process tells its supervisor, as sd_notify(3) does.
#pragma once

#include <string>

namespace mandate::server {

/// Sends lines such as "READY=1" to the Unix socket that `socket` (NOTIFY_SOCKET) names: a path, or an abstract name after
/// '@'. Nothing when it is empty or nobody hears.
void notify(const std::string& socket, const std::string& lines);

}  // namespace mandate::server
