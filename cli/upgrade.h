// `mandate upgrade`: starts a newer mandated that takes over from the one that runs.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace mandate::cli {

/// Runs `command` with --take-over in a session of its own and waits until it says that it serves. What the command says
/// goes to our stderr. A supervisor that waits at NOTIFY_SOCKET is told the new process's id.
/// Gives 0 when it serves, its own exit status when it ends instead, 1 when it takes longer than `longest`, and is ended.
int upgrade(std::vector<std::string> command, std::chrono::seconds longest);

}  // namespace mandate::cli
