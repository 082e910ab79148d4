#include "tables/odata/options.h"

#include <charconv>

#include "base/url.h"

namespace mandate::tables::odata {
namespace {

Error not_one_of(std::string_view name, std::string_view values) {
  return Error(Code::bad_request, "The value of '" + std::string(name) + "' must be " + std::string(values) + ".");
}

}  // namespace

Profile profile_of(Dialect dialect) {
  Profile out;
  switch (dialect) {
    case Dialect::v1: break;
    case Dialect::v2: out.strict = false; break;
    case Dialect::v3:
    case Dialect::v4:
      out.grammar = Grammar::v4;
      out.limits = kDatasyncLimits;
      out.page = 100;
      out.most_top = dialect == Dialect::v3 ? 512'000 : 128'000;
      out.count_option = out.any_case = true;
      break;
  }
  return out;
}

Result<std::int64_t> read_number(std::string_view name, std::string_view text, std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || number < 0 || number > most)
    return not_one_of(name, "a whole number from 0 to " + std::to_string(most));
  return number;
}

Result<void> Options::read(std::string_view given, std::string_view value) {
  if (!given.starts_with('$')) return {};
  const std::string name = profile_.any_case ? ascii_lower(given) : std::string(given);
  if (!seen_.insert(ascii_lower(name)).second) return Error(Code::bad_request, "The query parameter '" + name + "' was given twice.");
  return option(name, value);
}

Result<void> Options::option(std::string_view name, std::string_view value) {
  const bool blank = value.find_first_not_of(" \t") == std::string_view::npos;
  if (name == "$filter") {
    if (blank && !profile_.strict) return {};
    TRY(Tree tree, parse_filter(value, profile_.limits, profile_.grammar));
    narrow(query_, std::move(tree));
  } else if (name == "$orderby") {
    if (blank) return {};
    TRY(query_.order, parse_order(value, profile_.limits, profile_.grammar));
  } else if (name == "$select") {
    if (blank) return {};
    TRY(query_.select, parse_select(value, profile_.limits));
  } else if (name == "$top") {
    TRY(query_.top, read_number(name, value, profile_.most_top));
  } else if (name == "$skip") {
    TRY(query_.skip, read_number(name, value, profile_.most_skip));
  } else if (name == "$count" && profile_.count_option) {
    if (!iequals(value, "true") && !iequals(value, "false")) return not_one_of(name, "true or false");
    query_.total = query_.total || iequals(value, "true");
  } else if (name == "$expand" && profile_.count_option) {
    if (blank) return {};
    TRY(query_.expand, parse_select(value, profile_.limits));
  } else if (name == "$inlinecount") {
    if (value != "allpages" && value != "none") return not_one_of(name, "allpages or none");
    query_.total = query_.total || value == "allpages";
  } else if (profile_.strict) {
    return Error(Code::bad_request, "The query parameter '" + std::string(name) + "' is not supported: names must not start with $ or __.");
  }
  return {};
}

}  // namespace mandate::tables::odata
