#include "tenant/script_log.h"

namespace mandate::tenant {

namespace {

constexpr std::size_t kMostText = 10'000;

std::string_view cut(std::string_view text) {
  if (text.size() <= kMostText) return text;
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

void ScriptLog::write(std::string_view tenant, std::string_view service, std::string_view source, std::string_view level,
                      std::string_view text) {
  const Millis now = clock_.now_ms();
  const std::lock_guard lock(mutex_);
  lines_.push_back({++last_, now, std::string(tenant), std::string(service), std::string(source), std::string(level), std::string(cut(text))});
  if (lines_.size() > most_) lines_.pop_front();
}

std::vector<ScriptLog::Line> ScriptLog::read(std::string_view tenant, std::string_view service, std::string_view source,
                                             std::uint64_t after) const {
  std::vector<Line> out;
  const std::lock_guard lock(mutex_);
  for (const Line& line : lines_)
    if (line.number > after && line.tenant == tenant && (service.empty() || line.service == service) && (source.empty() || line.source == source))
      out.push_back(line);
  return out;
}

}  // namespace mandate::tenant
