// The query options of each dialect, read into a Query: the one door for `$filter`, `$orderby`, `$select`, `$top`, `$skip`,
// `$count` and `$inlinecount` (mobile-backend-wire 1.2, 1.7, 1.9, 3.5).
//
//   odata::Options options(odata::profile_of(Dialect::v4));        // or a profile of the table's own page and limit
//   for (const auto& [name, value] : parameters)                   // decoded: names may come percent-encoded
//     CHECK_OK(options.read(name, value));                         // what does not begin with $ is passed over
//   odata::Query query = options.take();
//   TRY(auto planned, odata::to_plan(query, {schema, Dialect::v4, false, clock.now_ms()}, profile.page));
#pragma once

#include <set>
#include <string_view>

#include "tables/odata/parser.h"
#include "tables/operations.h"

namespace mandate::tables::odata {

/// How a dialect, or one table of it, reads options.
struct Profile {
  Grammar grammar = Grammar::v2;
  Limits limits = {};
  std::int64_t page = 50;             ///< rows without $top; for V3 and V4 also the most in one answer
  std::int64_t most_top = 1000;
  std::int64_t most_skip = 1'000'000;
  bool strict = true;                 ///< an option nobody knows, or a blank $filter, is refused; else passed over
  bool count_option = false;          ///< $count=true asks for the total
  bool any_case = false;              ///< names of options in any letter case
};

/// V1: strict, page 50, at most 1000. V2: the same, lenient. V3: $count and $inlinecount, page 100, at most 512000.
/// V4: $count, names in any case, page 100, at most 128000.
Profile profile_of(Dialect dialect);

/// Reads one request's options. Errors: bad_request with a hint for the caller, `Syntax error (at index 2)` and its cousins
/// bare: a dialect that says something before them adds it.
class Options {
 public:
  explicit Options(Profile profile) : profile_(std::move(profile)) {}

  /// One parameter. bad_request also for an option given twice.
  Result<void> read(std::string_view name, std::string_view value);
  /// What was read so far.
  Query take() { return std::move(query_); }

 private:
  Result<void> option(std::string_view name, std::string_view value);

  const Profile profile_;
  Query query_;
  std::set<std::string, std::less<>> seen_;
};

/// A whole number from 0 to `most`; bad_request for anything else. `name` is the option's, for the message.
Result<std::int64_t> read_number(std::string_view name, std::string_view text, std::int64_t most);

}  // namespace mandate::tables::odata
