// Points on the earth as apps keep them, and how far they are apart (mobile-backend-wire 3.4: geo.distance).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mandate::store {

/// In degrees, WGS 84.
struct Point {
  double longitude = 0, latitude = 0;
  bool operator==(const Point&) const = default;
};

/// {"type":"Point","coordinates":[longitude,latitude]}, the form in which points are kept.
std::string geojson(const Point& point);

/// The point of a text that begins as geojson() writes it. A third coordinate and members behind the coordinates are passed
/// over, and "type" may be missing or come behind. nullopt for anything else: lines, areas, other spacing.
std::optional<Point> point_of(std::string_view geojson);

/// Kilometres along the great circle of a sphere with the earth's mean radius (6371.0088 km).
double distance_km(const Point& a, const Point& b);

}  // namespace mandate::store
