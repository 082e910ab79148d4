#include "store/geo.h"

#include <cmath>
#include <numbers>

#include "base/json.h"
#include "store/text.h"

namespace mandate::store {
namespace {

constexpr double kDiameterKm = 2 * 6371.0088;

double radians(double degrees) { return degrees * (std::numbers::pi / 180); }

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// A number of JSON as the engines' pattern has it: at most 20 digits, 40 behind the point, two of the exponent.
std::optional<double> coordinate(std::string_view& text) {
  std::size_t end = 0, digits = 0;
  const auto run = [&](std::size_t most) {
    for (digits = 0; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end) ++digits;
    return digits > 0 && digits <= most;
  };
  if (text.starts_with('-')) ++end;
  if (!run(20)) return std::nullopt;
  if (end < text.size() && text[end] == '.') {
    ++end;
    if (!run(40)) return std::nullopt;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    ++end;
    if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
    if (!run(2)) return std::nullopt;
  }
  const auto value = number_of(text.substr(0, end));
  text.remove_prefix(end);
  return value;
}

}  // namespace

std::string geojson(const Point& point) {
  std::string out = R"({"type":"Point","coordinates":[)";
  append_json_number(out, point.longitude);
  out += ',';
  append_json_number(out, point.latitude);
  return out + "]}";
}

std::optional<Point> point_of(std::string_view text) {
  if (!take(text, "{")) return std::nullopt;
  take(text, R"("type":"Point",)");
  if (!take(text, R"("coordinates":[)")) return std::nullopt;
  const auto longitude = coordinate(text);
  if (!longitude || !take(text, ",")) return std::nullopt;
  const auto latitude = coordinate(text);
  if (!latitude || (!text.starts_with(',') && !text.starts_with(']'))) return std::nullopt;
  return Point{*longitude, *latitude};
}

double distance_km(const Point& a, const Point& b) {
  const double up = std::sin((radians(b.latitude) - radians(a.latitude)) / 2), across = std::sin(radians(b.longitude - a.longitude) / 2);
  const double h = up * up + std::cos(radians(a.latitude)) * std::cos(radians(b.latitude)) * across * across;
  return kDiameterKm * std::asin(std::min(1.0, std::sqrt(h)));
}

}  // namespace mandate::store
