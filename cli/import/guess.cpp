#include "import/guess.h"

#include <charconv>
#include <cmath>
#include <string>

#include "base/clock.h"
#include "base/url.h"

namespace mandate::cli {

bool looks_like_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return false;
  std::size_t digits = 0;
  std::string_view rest = text.starts_with('-') ? text.substr(1) : text;
  if (rest.size() > 1 && rest[0] == '0' && rest[1] != '.' && rest[1] != 'e' && rest[1] != 'E') return false;
  for (const char c : rest.substr(0, std::min(rest.size(), rest.find_first_of("eE"))))
    if (c >= '0' && c <= '9') ++digits;
  return digits > 0 && digits <= 15;
}

bool looks_like_moment(std::string_view text) {
  if (text.size() < 16 || text[4] != '-' || (text[10] != ' ' && text[10] != 'T')) return false;
  std::string whole(text);
  if (const std::size_t blank = whole.find(' ', 11); blank != std::string::npos) {
    const bool signs = blank + 1 < whole.size() && (whole[blank + 1] == '+' || whole[blank + 1] == '-');
    if (!signs) return false;
    whole.erase(blank, 1);
  }
  // PostgreSQL leaves the minutes of an offset out when there are none.
  const std::size_t sign = whole.size() - std::min<std::size_t>(whole.size(), 3);
  if (sign >= 16 && (whole[sign] == '+' || whole[sign] == '-')) whole += ":00";
  return parse_iso8601(whole).has_value();
}

void Guess::see(std::string_view value) {
  seen_ = true;
  if (boolean_ && !iequals(value, "true") && !iequals(value, "false")) boolean_ = false;
  if (number_ && !looks_like_number(value)) number_ = false;
  if (moment_ && !looks_like_moment(value)) moment_ = false;
}

std::string_view Guess::type() const {
  if (!seen_) return "string";
  return boolean_ ? "boolean" : number_ ? "number" : moment_ ? "datetime" : "string";
}

}  // namespace mandate::cli
