// What a column of a text file holds, guessed from all of its values.
#pragma once

#include <string_view>

namespace mandate::cli {

/// A guess holds for every value: one that does not fit makes the column text. "007", "+1" and numbers of more than 15 digits are
/// text, since as numbers they would come back otherwise; 0 and 1 are numbers, only the words are truths.
class Guess {
 public:
  void see(std::string_view value);
  /// boolean, number, datetime or string: words of the tenant file.
  std::string_view type() const;

 private:
  bool seen_ = false, boolean_ = true, number_ = true, moment_ = true;
};

bool looks_like_number(std::string_view text);
/// A date and a time of day, as ISO 8601, SQL Server or PostgreSQL write them.
bool looks_like_moment(std::string_view text);

}  // namespace mandate::cli
