#include "tables/wire/zumo_query.h"

#include <set>

#include "base/url.h"
#include "tables/odata/options.h"

namespace mandate::tables::wire {
namespace {

Result<SystemProperties> system_properties(std::string_view text) {
  SystemProperties out;
  for (const std::string& piece : split(text, ',')) {
    std::string_view word = piece;
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word.empty()) continue;
    if (word == "*") {
      out = SystemProperties::all();
      continue;
    }
    std::string_view bare = word.starts_with("__") ? word.substr(2) : word;
    if (iequals(bare, "createdAt")) out.created = true;
    else if (iequals(bare, "updatedAt")) out.updated = true;
    else if (iequals(bare, "version")) out.version = true;
    else if (iequals(bare, "deleted")) out.deleted = true;
    else return Error(Code::bad_request, "'" + std::string(word) + "' is not a supported system property.");
  }
  return out;
}

Result<bool> flag(std::string_view name, std::string_view text, Dialect dialect) {
  if (iequals(text, "true")) return true;
  if (iequals(text, "false") || dialect == Dialect::v2) return false;
  return Error(Code::bad_request, "The value of '" + std::string(name) + "' must be true or false.");
}

/// How the dialect reads the `$` options of that table.
odata::Profile profile_for(Dialect dialect, const tenant::Table& table) {
  odata::Profile out = odata::profile_of(dialect);
  if (table.page_size) out.page = table.page_size;
  if (table.max_top) out.most_top = table.max_top;
  if (dialect == Dialect::v2) out.most_skip = std::numeric_limits<std::int32_t>::max();  // bounded below where no token says the place
  return out;
}

/// One `$` option. In V1 what is wrong inside of one begins with a sentence of its own.
Result<void> read_option(odata::Options& options, ZumoQuery& out, std::string_view name, std::string_view value, Dialect dialect, bool one_row) {
  const bool v1 = dialect == Dialect::v1;
  if (name == "$skiptoken" && !v1 && !one_row) {
    out.after = value;
    return {};
  }
  const bool parsed = name == "$filter" || name == "$select" || name == "$orderby";
  if (one_row && (name == "$orderby" || name == "$skip" || name == "$top" || name == "$inlinecount")) {
    if (!v1) return {};
    return Error(Code::bad_request, "The query option '" + std::string(name) + "' is not supported for a single item.");
  }
  Result<void> read = options.read(name, value);
  if (!read.ok() && v1 && parsed) return Error(read.error().code, "Invalid query specified. Error: " + read.error().hint, read.error().detail);
  return read;
}

}  // namespace

Result<QueryParameters> query_parameters(std::string_view query) {
  QueryParameters out = parse_form(query);
  for (const auto& [name, value] : out)
    if (!valid_utf8(name) || !valid_utf8(value)) return Error(Code::bad_request, "The query is not UTF-8.");
  return out;
}

Result<ZumoQuery> read_query(const QueryParameters& parameters, Dialect dialect, const tenant::Table& table, bool options_count, bool one_row) {
  ZumoQuery out;
  const odata::Profile profile = profile_for(dialect, table);
  odata::Options options(profile);
  out.page = profile.page;
  std::set<std::string, std::less<>> seen;
  for (const auto& [name, value] : parameters) {
    const bool reserved = name.starts_with("__");
    if (reserved && !seen.insert(ascii_lower(name)).second)
      return Error(Code::bad_request, "The query parameter '" + name + "' was given twice.");
    if (name.starts_with('$')) {
      if (options_count) CHECK_OK(read_option(options, out, name, value, dialect, one_row));
    } else if (iequals(name, "__systemProperties")) {
      auto properties = system_properties(value);
      if (properties.ok()) out.system = *properties;
      else if (dialect == Dialect::v1) return std::move(properties).error();
    } else if (iequals(name, "__includeDeleted")) {
      TRY(out.include_deleted, flag(name, value, dialect));
    } else if (reserved) {
      if (dialect == Dialect::v1)
        return Error(Code::bad_request, "The query parameter '" + name + "' is not supported: names must not start with $ or __.");
    } else if (iequals(name, "noScript")) {
      TRY(out.no_script, flag(name, value, dialect));
    } else if (!iequals(name, "zumo-api-version")) {
      out.own.emplace_back(name, value);
    }
  }
  out.query = options.take();
  // Behind a row the engine need not count its way there.
  if (out.after.empty()) CHECK_OK(odata::read_number("$skip", std::to_string(out.query.skip), kMostSkip));
  return out;
}

std::string next_link(std::string table_url, const QueryParameters& parameters, std::int64_t skip, std::int64_t page, std::string_view token) {
  std::string out = std::move(table_url);
  char separator = '?';
  const auto append = [&](std::string_view name, std::string_view value) {
    out += std::exchange(separator, '&');
    if (name.starts_with('$')) out += '$', name.remove_prefix(1);
    append_percent_encoded(out, name);
    out += '=';
    append_percent_encoded(out, value);
  };
  for (const auto& [name, value] : parameters)
    if (name != "$skip" && name != "$top" && name != "$skiptoken") append(name, value);
  append("$skip", std::to_string(skip));
  append("$top", std::to_string(page));
  if (!token.empty()) append("$skiptoken", token);
  return out;
}

}  // namespace mandate::tables::wire
