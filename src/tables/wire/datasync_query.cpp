#include "tables/wire/datasync_query.h"

#include <set>

#include "base/url.h"
#include "tables/odata/parser.h"
#include "tables/wire/zumo_query.h"

namespace mandate::tables::wire {
namespace {

constexpr std::int64_t kPage = 100, kMostTopV3 = 512'000, kMostTopV4 = 128'000;

std::int64_t most_top(Dialect dialect, const tenant::Table& table) {
  if (table.max_top) return table.max_top;
  return dialect == Dialect::v3 ? kMostTopV3 : kMostTopV4;
}

bool blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

/// The options that one row has too.
Result<bool> read_shared(DatasyncQuery& out, std::string_view option, std::string_view value) {
  if (option != "$select") return false;
  if (!blank(value)) {
    TRY(out.query.select, odata::parse_select(value));
  }
  return true;
}

Result<void> read_option(DatasyncQuery& out, std::string_view option, std::string_view value, Dialect dialect, const tenant::Table& table) {
  if (option == "$filter") {
    if (blank(value)) return {};
    TRY(odata::Tree tree, odata::parse_filter(value));
    odata::narrow(out.query, std::move(tree));
  } else if (option == "$orderby") {
    if (blank(value)) return {};
    TRY(out.query.order, odata::parse_order(value));
  } else if (option == "$top") {
    TRY(out.query.top, whole_number(option, value, most_top(dialect, table)));
  } else if (option == "$skip") {
    TRY(out.query.skip, whole_number(option, value, std::numeric_limits<std::int32_t>::max()));
  } else if (option == "$skiptoken") {
    TRY(out.after, read_skip_token(value));
  } else if (option == "$count") {
    if (!iequals(value, "true") && !iequals(value, "false")) return Error(Code::bad_request, "The value of '$count' must be true or false.");
    out.query.total = iequals(value, "true");
  } else {
    return Error(Code::bad_request, "The query option '" + std::string(option) + "' is not supported.");
  }
  return {};
}

}  // namespace

bool includes_deleted(const QueryParameters& parameters) {
  return std::ranges::any_of(parameters, [](const auto& p) { return iequals(p.first, "__includedeleted") && iequals(p.second, "true"); });
}

Result<DatasyncQuery> read_datasync_query(const QueryParameters& parameters, Dialect dialect, const tenant::Table& table, bool read, bool one_row) {
  DatasyncQuery out;
  out.page = table.page_size ? table.page_size : kPage;
  out.include_deleted = includes_deleted(parameters);
  std::set<std::string, std::less<>> seen;
  for (const auto& [name, value] : parameters) {
    if (name.starts_with('$')) {
      if (!read) continue;
      const std::string option = ascii_lower(name);
      if (!seen.insert(option).second) return Error(Code::bad_request, "The query option '" + name + "' was given twice.");
      TRY(const bool shared, read_shared(out, option, value));
      if (!shared && !one_row) CHECK_OK(read_option(out, option, value, dialect, table));
    } else if (iequals(name, "noScript")) {
      out.no_script = iequals(value, "true");
    } else if (!name.starts_with("__") && !iequals(name, "zumo-api-version")) {
      out.own.emplace_back(name, value);
    }
  }
  if (out.after.empty()) CHECK_OK(whole_number("$skip", std::to_string(out.query.skip), kMostSkip));
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
