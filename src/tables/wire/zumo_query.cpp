#include "tables/wire/zumo_query.h"

#include <set>

#include "base/url.h"
#include "tables/odata/parser.h"

namespace mandate::tables::wire {
namespace {

Error invalid_query(Dialect dialect, const Error& error) {
  const std::string prefix = dialect == Dialect::v1 ? "Invalid query specified. Error: " : "";
  return Error(error.code, prefix + error.hint, error.detail);
}

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

Result<void> read_option(ZumoQuery& out, std::string_view name, std::string_view value, Dialect dialect, const tenant::Table& table, bool one_row) {
  const auto wrapped = [&](Error error) { return invalid_query(dialect, error); };
  const bool blank = value.find_first_not_of(" \t") == std::string_view::npos;
  if (name == "$filter") {
    if (blank && dialect == Dialect::v2) return {};
    auto tree = odata::parse_filter(value);
    if (!tree.ok()) return wrapped(std::move(tree).error());
    odata::narrow(out.query, *std::move(tree));
    return {};
  }
  if (name == "$select") {
    if (blank) return {};
    auto columns = odata::parse_select(value);
    if (!columns.ok()) return wrapped(std::move(columns).error());
    out.query.select = *std::move(columns);
    return {};
  }
  if (name == "$skiptoken" && dialect == Dialect::v2 && !one_row) {
    TRY(out.after, read_skip_token(value));
    return {};
  }
  const bool known = name == "$orderby" || name == "$skip" || name == "$top" || name == "$inlinecount";
  if (!known) {
    if (dialect == Dialect::v2) return {};
    return Error(Code::bad_request, "The query parameter '" + std::string(name) + "' is not supported: names must not start with $ or __.");
  }
  if (one_row) {
    if (dialect == Dialect::v2) return {};
    return Error(Code::bad_request, "The query option '" + std::string(name) + "' is not supported for a single item.");
  }
  if (name == "$orderby") {
    if (blank) return {};
    auto order = odata::parse_order(value);
    if (!order.ok()) return wrapped(std::move(order).error());
    out.query.order = *std::move(order);
  } else if (name == "$top") {
    TRY(const std::int64_t top, whole_number(name, value, table.max_top ? table.max_top : kZumoMostTop));
    out.query.top = top;
  } else if (name == "$skip") {
    TRY(out.query.skip, whole_number(name, value, std::numeric_limits<std::int32_t>::max()));
  } else {
    if (value != "allpages" && value != "none") return Error(Code::bad_request, "The value of '$inlinecount' must be allpages or none.");
    out.query.total = value == "allpages";
  }
  return {};
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
  if (table.page_size) out.page = table.page_size;
  std::set<std::string, std::less<>> seen;
  for (const auto& [name, value] : parameters) {
    const bool reserved = name.starts_with('$') || name.starts_with("__");
    if (reserved && !seen.insert(ascii_lower(name)).second)
      return Error(Code::bad_request, "The query parameter '" + name + "' was given twice.");
    if (name.starts_with('$')) {
      if (options_count) CHECK_OK(read_option(out, name, value, dialect, table, one_row));
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
  // Behind a row the engine need not count its way there.
  if (out.after.empty()) CHECK_OK(whole_number("$skip", std::to_string(out.query.skip), kMostSkip));
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
