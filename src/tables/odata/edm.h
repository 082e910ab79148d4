// The types of OData that a query may speak of, how columns store them, and how they are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/expr.h"

namespace mandate::tables::odata {

/// A type as queries see it, with the store's type that holds it.
enum class Edm {
  unknown,
  boolean,      ///< boolean
  integer,      ///< integer
  real,         ///< real
  text,         ///< text
  moment,       ///< Edm.DateTimeOffset. date: milliseconds since 1970 in UTC
  date,         ///< Edm.Date, yyyy-MM-dd. date: its midnight in UTC
  time,         ///< Edm.TimeOfDay, HH:mm:ss.fff. date: milliseconds since midnight
  duration,     ///< Edm.Duration, P1DT2H3M4.5S. integer: milliseconds
  guid,         ///< text in lower case with dashes
  binary,       ///< text in base64
  enumeration,  ///< a name out of a list. integer: its place in the list, from 0, which is also its order
  point,        ///< a geography point. json: GeoJSON as store/geo.h writes it
  json,         ///< json
};

store::Type stored_as(Edm edm);
/// What a column is when nothing more is declared of it.
Edm plain(store::Type type);
/// "string", "date" …: for messages and logs.
std::string_view word(Edm edm);
/// Edm.Date and its like, as cast() names them, in any letter case; nullopt for what cannot be cast to.
std::optional<Edm> edm_named(std::string_view name);

/// What a declared column means beyond its store type. Immutable; shared by schemas.
struct Meaning {
  Edm edm = Edm::unknown;
  std::vector<std::string> members;  ///< of an enumeration, in order
};

/// A text of the wire as such a column holds it; nullopt when it is none of its values. Enumeration names match in any
/// letter case, guids become lower case.
std::optional<store::Value> read_as(const Meaning& meaning, std::string_view text);
/// A stored value as the wire writes it: the inverse of read_as. Empty for a number that no member has.
std::string write_as(const Meaning& meaning, const store::Value& value);

std::optional<Millis> read_date(std::string_view text);      ///< yyyy-MM-dd
std::optional<Millis> read_time(std::string_view text);      ///< HH:mm[:ss[.f…]]
std::optional<Millis> read_duration(std::string_view text);  ///< [-]P[nD][T[nH][nM][n[.f]S]], at most about 30,000 years
std::optional<std::string> read_point(std::string_view text);  ///< [SRID=4326;]POINT(longitude latitude), as GeoJSON
std::string write_date(Millis date);
std::string write_time(Millis time);  ///< HH:mm:ss.fff
std::string write_duration(Millis duration);

/// xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx
bool is_guid(std::string_view text);

/// A literal of a tree. Those whose store type does not tell what they are carry a mark in Expr::text.
store::ExprPtr literal_of(store::Value value, Edm edm);
Edm edm_of(const store::Expr& literal);

}  // namespace mandate::tables::odata
