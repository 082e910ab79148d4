#include "http/wire/write_response.h"

#include <charconv>
#include <cstring>
#include <ctime>

#include "base/url.h"
#include "http/security_headers.h"

namespace mandate::http::wire {
namespace {

bool about_framing(std::string_view name) {
  switch (name.size()) {
    case 4: return iequals(name, "Date");
    case 6: return iequals(name, "Server");
    case 10: return iequals(name, "Connection");
    case 14: return iequals(name, "Content-Length");
    case 17: return iequals(name, "Transfer-Encoding");
    default: return false;
  }
}

/// Appends pieces to a string that has grown beforehand; what is left over is cut off at the end.
class Writer {
 public:
  Writer(std::string& out, std::size_t room) : out_(out), at_(out.size()) { out_.resize(at_ + room); }
  ~Writer() { out_.resize(at_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void put(std::string_view text) {
    if (text.empty()) return;
    if (out_.size() - at_ < text.size()) out_.resize(out_.size() + text.size() + kRoom);
    std::memcpy(out_.data() + at_, text.data(), text.size());
    at_ += text.size();
  }
  void put(std::size_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }
  static constexpr std::size_t kRoom = 512;  // a usual head

 private:
  std::string& out_;
  std::size_t at_;
};

}  // namespace

void write_response(std::string& out, const Request& request, const Response& response, const Written& how) {
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  const bool with_body = !bodiless && !how.head_only;
  Writer to(out, Writer::kRoom + (with_body ? response.body.size() : 0));
  auto field = [&to](std::string_view name, std::string_view value) {
    to.put(name), to.put(": "), to.put(value), to.put("\r\n");
  };
  to.put("HTTP/1.1 "), to.put(static_cast<std::size_t>(response.status));
  to.put(" "), to.put(reason(response.status)), to.put("\r\n");
  for (const Headers::Field& each : response.headers.all())
    if (!about_framing(each.name)) field(each.name, each.value);
  for_missing_security_headers(request, response, field);
  field("Date", how.date);
  if (how.close) to.put("Connection: close\r\n");
  if (!bodiless) to.put("Content-Length: "), to.put(response.body.size()), to.put("\r\n");
  to.put("\r\n");
  if (with_body) to.put(response.body);
}

std::string http_date(std::int64_t seconds) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat", kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::string out(kDays.substr(static_cast<std::size_t>(utc.tm_wday) * 3, 3));
  auto two = [&out](int n) { out += static_cast<char>('0' + n / 10 % 10), out += static_cast<char>('0' + n % 10); };
  out += ", ", two(utc.tm_mday), out += ' ';
  out += kMonths.substr(static_cast<std::size_t>(utc.tm_mon) * 3, 3);
  out += ' ', out += std::to_string(utc.tm_year + 1900), out += ' ';
  two(utc.tm_hour), out += ':', two(utc.tm_min), out += ':', two(utc.tm_sec);
  return out += " GMT";
}

}  // namespace mandate::http::wire
