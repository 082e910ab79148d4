// Listening sockets that a supervisor holds and hands to each process it starts (systemd's socket activation).
#pragma once

#include "base/config.h"
#include "http/server.h"

namespace mandate::server {

/// Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. Descriptors count from 3; the name "admin" is the owner's socket,
/// "metrics" the metrics listener, any other the public port, of which there may be several.
/// None when the variables are absent or meant for another process. invalid_request when they make no sense.
Result<http::Sockets> given_sockets(const Config::Environment& environment, int own_pid);

}  // namespace mandate::server
