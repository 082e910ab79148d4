#include "http/wire/write_response.h"

#include <charconv>
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

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

void write_response(std::string& out, const Request& request, const Response& response, const Written& how) {
  auto field = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(response.status));
  out.append(" ").append(reason(response.status)).append("\r\n");
  for (const Headers::Field& each : response.headers.all())
    if (!about_framing(each.name)) field(each.name, each.value);
  for_missing_security_headers(request, response, field);
  field("Date", how.date);
  if (how.close) out.append("Connection: close\r\n");
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  if (!bodiless) {
    out.append("Content-Length: ");
    append_number(out, response.body.size());
    out.append("\r\n");
  }
  out.append("\r\n");
  if (!bodiless && !how.head_only) out.append(response.body);
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
