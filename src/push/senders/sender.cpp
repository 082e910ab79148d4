#include "push/senders/sender.h"

#include <charconv>

#include "base/url.h"

namespace mandate::push {

bool comes_back(int status) { return status == 429 || status >= 500; }

std::int64_t retry_after_ms(const http::Fetched& answer, Millis now) {
  constexpr std::int64_t kMost = 6 * 3'600'000;
  const std::string text(answer.headers.get("Retry-After"));
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) return std::clamp<std::int64_t>(seconds, 0, kMost / 1000) * 1000;
  // "Wed, 21 Oct 2015 07:28:00 GMT"
  std::tm when{};
  if (text.size() > 60 || !::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &when)) return 0;
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(::timegm(&when)) * 1000 - now, 0, kMost);
}

Delivered no_answer(const Error& error) {
  // A blocked address, or one that is none, stays so.
  const bool never = error.code == Code::bad_request;
  return {never ? Delivered::Kind::refused : Delivered::Kind::later, 0, error.hint.empty() ? std::string(name(error.code)) : error.hint, 0};
}

std::string_view header(const JsonObject& headers, std::string_view name) {
  for (const auto& member : headers)
    if (iequals(std::string_view(member.key().data(), member.key().size()), name) && member.value().is_string()) return view(member.value().get_string());
  return {};
}

}  // namespace mandate::push
