#include "server/given_sockets.h"

#include <charconv>

namespace mandate::server {
namespace {

constexpr int kFirst = 3, kMost = 200;

std::optional<int> number(const std::string& text) {
  int out = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Error refusal(std::string_view name, const std::string& value) {
  return Error(Code::invalid_request, std::string(name) + ": '" + value.substr(0, 80) + "' makes no sense.");
}

}  // namespace

Result<http::Sockets> given_sockets(const Config::Environment& environment, int own_pid) {
  http::Sockets out;
  const auto pid = environment("LISTEN_PID"), count = environment("LISTEN_FDS");
  if (!pid || !count) return out;
  const auto whose = number(*pid);
  if (!whose) return refusal("LISTEN_PID", *pid);
  if (*whose != own_pid) return out;
  const auto many = number(*count);
  if (!many || *many < 0 || *many > kMost) return refusal("LISTEN_FDS", *count);
  std::vector<std::string> names;
  if (const auto told = environment("LISTEN_FDNAMES"); told && !told->empty()) {
    std::size_t at = 0;
    for (std::size_t colon; (colon = told->find(':', at)) != std::string::npos; at = colon + 1) names.push_back(told->substr(at, colon - at));
    names.push_back(told->substr(at));
    if (names.size() != static_cast<std::size_t>(*many)) return refusal("LISTEN_FDNAMES", *told);
  }
  for (int i = 0; i < *many; ++i) {
    const std::string_view name = names.empty() ? std::string_view() : std::string_view(names[static_cast<std::size_t>(i)]);
    int* place = name == "admin" ? &out.owner : name == "metrics" ? &out.observer : nullptr;
    if (!place) out.doors.push_back(kFirst + i);
    else if (*place < 0) *place = kFirst + i;
    else return Error(Code::invalid_request, "LISTEN_FDNAMES: '" + std::string(name) + "' twice.");
  }
  out.kept = *many > 0;
  return out;
}

}  // namespace mandate::server
