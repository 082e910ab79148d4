#include "base/url.h"
#include "store/text.h"
#include "tables/tsql/functions.h"

namespace mandate::tables::tsql {
namespace {

constexpr std::size_t kMostPattern = 4000;

/// One place of a pattern.
struct Place {
  enum class Kind { one, any, many, set } kind = Kind::one;
  char32_t letter = 0;
  bool outside = false;  ///< set: [^…]
  std::vector<std::pair<char32_t, char32_t>> ranges;

  bool takes(char32_t c) const {
    if (kind == Kind::one) return c == letter;
    if (kind == Kind::any) return true;
    for (const auto& [first, last] : ranges)
      if (c >= first && c <= last) return !outside;
    return outside;
  }
};

/// Code points of valid UTF-8; of other bytes, something.
std::u32string decoded(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    char32_t c = more == 3 ? lead & 0x07U : more == 2 ? lead & 0x0FU : more == 1 ? lead & 0x1FU : lead;
    for (; more > 0 && i < text.size(); --more) c = (c << 6) | (static_cast<unsigned char>(text[i++]) & 0x3FU);
    out += c;
  }
  return out;
}

std::vector<Place> places_of(const std::u32string& pattern, char32_t escape) {
  std::vector<Place> out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char32_t c = pattern[i];
    Place place;
    if (escape && c == escape && i + 1 < pattern.size()) {
      place.letter = pattern[++i];
    } else if (c == '%') {
      if (!out.empty() && out.back().kind == Place::Kind::many) continue;
      place.kind = Place::Kind::many;
    } else if (c == '_') {
      place.kind = Place::Kind::any;
    } else if (const std::size_t end = c == '[' ? pattern.find(U']', i + 1) : std::u32string::npos; end != std::u32string::npos) {
      place.kind = Place::Kind::set;
      ++i;
      if (i < end && pattern[i] == '^') place.outside = true, ++i;
      for (; i < end; ++i) {
        const char32_t first = pattern[i];
        char32_t last = first;
        if (i + 2 < end && pattern[i + 1] == '-') last = pattern[i + 2], i += 2;
        place.ranges.emplace_back(first, last);
      }
      i = end;
    } else {
      place.letter = c;
    }
    out.push_back(std::move(place));
  }
  return out;
}

}  // namespace

Result<bool> like(std::string_view text, std::string_view pattern, char32_t escape, const std::function<bool()>& enough) {
  if (pattern.size() > kMostPattern) return Error(Code::bad_request, "A pattern of LIKE is longer than " + std::to_string(kMostPattern) + " bytes.");
  const std::u32string letters = decoded(store::lower(text));
  const std::vector<Place> places = places_of(decoded(store::lower(pattern)), escape);
  // Greedy, going back to the last % only: what an earlier one could take, the last can take as well.
  std::size_t at = 0, place = 0, star = places.size(), again = 0, steps = 0;
  while (at < letters.size()) {
    if ((++steps & 0xFFFF) == 0 && enough()) return Error(Code::timeout, "The SQL took too long.");
    if (place < places.size() && places[place].kind == Place::Kind::many) {
      star = place++;
      again = at;
    } else if (place < places.size() && places[place].takes(letters[at])) {
      ++place;
      ++at;
    } else if (star < places.size()) {
      place = star + 1;
      at = ++again;
    } else {
      return false;
    }
  }
  while (place < places.size() && places[place].kind == Place::Kind::many) ++place;
  return place == places.size();
}

}  // namespace mandate::tables::tsql
