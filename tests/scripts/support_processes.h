// The script processes of this test, as the kernel tells of them.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace mandate::scripts::test {

/// Every process that a thread of this one has started and that still runs.
inline std::vector<int> children() {
  std::vector<int> out;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(task.path() / "children");
    for (int pid; list >> pid;) out.push_back(pid);
  }
  return out;
}

/// A line of /proc/<pid>/status, without its name.
inline std::string status_line(int pid, std::string_view name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(std::string(name) + ":")) return line.substr(name.size() + 2);
  return {};
}

}  // namespace mandate::scripts::test
