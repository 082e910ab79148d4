#include "tables/wire/datasync_query.h"

#include "base/url.h"
#include "tables/odata/options.h"
#include "tables/wire/zumo_query.h"

namespace mandate::tables::wire {
namespace {

/// How the dialect reads the `$` options of that table.
odata::Profile profile_for(Dialect dialect, const tenant::Table& table) {
  odata::Profile out = odata::profile_of(dialect);
  if (table.page_size) out.page = table.page_size;
  if (table.max_top) out.most_top = table.max_top;
  out.most_skip = std::numeric_limits<std::int32_t>::max();  // bounded below where no token says the place
  return out;
}

}  // namespace

bool includes_deleted(const QueryParameters& parameters) {
  return std::ranges::any_of(parameters, [](const auto& p) { return iequals(p.first, "__includedeleted") && iequals(p.second, "true"); });
}

Result<DatasyncQuery> read_datasync_query(const QueryParameters& parameters, Dialect dialect, const tenant::Table& table, bool read, bool one_row) {
  DatasyncQuery out;
  const odata::Profile profile = profile_for(dialect, table);
  odata::Options options(profile);
  out.page = profile.page;
  out.include_deleted = includes_deleted(parameters);
  for (const auto& [name, value] : parameters) {
    if (name.starts_with('$')) {
      if (!read || (one_row && !iequals(name, "$select") && !iequals(name, "$expand"))) continue;
      if (iequals(name, "$skiptoken")) {
        out.after = value;
      } else {
        CHECK_OK(options.read(name, value));
      }
    } else if (iequals(name, "noScript")) {
      out.no_script = iequals(value, "true");
    } else if (!name.starts_with("__") && !iequals(name, "zumo-api-version")) {
      out.own.emplace_back(name, value);
    }
  }
  out.query = options.take();
  if (out.after.empty()) CHECK_OK(odata::read_number("$skip", std::to_string(out.query.skip), kMostSkip));
  return out;
}

std::string next_query(std::string_view query, std::int64_t skip, std::optional<std::int64_t> top, std::string_view token) {
  std::string out;
  const auto append = [&out](std::string_view piece) {
    if (!out.empty()) out += '&';
    out += piece;
  };
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::string name = ascii_lower(percent_decode(piece.substr(0, piece.find('='))));
    if (!piece.empty() && name != "$skip" && name != "$top" && name != "$skiptoken") append(piece);
  }
  append("$skip=" + std::to_string(skip));
  if (top) append("$top=" + std::to_string(*top));
  if (!token.empty()) append("$skiptoken=" + std::string(token));
  return out;
}

}  // namespace mandate::tables::wire
