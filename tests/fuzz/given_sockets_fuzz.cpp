// LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES as a supervisor, or anybody who starts us, may set them: one line each. Descriptors
// that are taken count from 3, each once.
#include <cstdlib>
#include <map>
#include <set>

#include "base/url.h"
#include "server/given_sockets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mandate;
  std::map<std::string, std::string> variables;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    if (rest.empty()) break;
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    variables[name] = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto given = server::given_sockets([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }, 4711);
  if (!given.ok()) {
    if (given.error().hint.empty() || given.error().hint.size() > 200) std::abort();
    return 0;
  }
  std::set<int> all(given->doors.begin(), given->doors.end());
  std::size_t count = given->doors.size();
  for (const int fd : {given->owner, given->observer})
    if (fd >= 0) all.insert(fd), ++count;
  if (all.size() != count || given->kept != (count > 0)) std::abort();
  if (count && (*all.begin() != 3 || *all.rbegin() != 2 + static_cast<int>(count))) std::abort();
  return 0;
}
