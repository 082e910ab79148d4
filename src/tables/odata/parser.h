// OData text becomes a tree. Grammar and accepted supersets: mobile-backend-wire 3.1, 3.2.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tables/odata/lexer.h"
#include "tables/odata/query.h"

namespace mandate::tables::odata {

/// Refused before the store sees anything (security 0.2, mobile-backend-wire 3.5).
struct Limits {
  std::size_t bytes = 16 << 10;  ///< of a filter or an ordering; old SDKs write long or-chains (docs/adr/0009)
  std::size_t depth = 250;      ///< nested parentheses, functions and operators
  std::size_t functions = 32;   ///< of them, functions inside functions
  std::size_t nodes = 2000;
  std::size_t orderings = 32;
  std::size_t columns = 500;    ///< of a select
  std::size_t members = 50;     ///< of one `in`
};
/// What V3 and V4 may ask: their clients write `in` and wide chains, not old SDKs' long ones (docs/adr/0009).
inline constexpr Limits kDatasyncLimits{.bytes = 8 << 10, .nodes = 200};

/// A condition. bad_request with what was wrong and where: "Syntax error (at index 2)". Indexes count bytes.
Result<Tree> parse_filter(std::string_view text, const Limits& limits = {}, Grammar grammar = Grammar::v2);
/// "a desc,b": a list of expressions.
Result<std::vector<Ordering>> parse_order(std::string_view text, const Limits& limits = {}, Grammar grammar = Grammar::v2);
/// "a,b": column names; "*" gives an empty list.
Result<std::vector<std::string>> parse_select(std::string_view text, const Limits& limits = {});

/// Letters, digits and "_", a letter or "_" first, 1-128 of them: what a column may be called.
bool valid_identifier(std::string_view name);

}  // namespace mandate::tables::odata
