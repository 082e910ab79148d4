// Cuts the SQL of scripts into tokens.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mandate::tables::tsql {

/// Where something stands in the text, from 1.
struct Position {
  int line = 1, column = 1;
};

struct Token {
  enum class Kind {
    end,
    word,       ///< text: as it was written; a keyword or a name
    quoted,     ///< text: a name between [brackets] or "quotes", undone
    global,     ///< text: what follows @@
    variable,   ///< text: what follows @
    string,     ///< text: between 'quotes', '' undone
    whole,      ///< text: digits
    real,       ///< text: what from_chars reads
    parameter,  ///< ?
    symbol,     ///< text: one of ( ) , ; . * + - / % = <> < <= > >= and others that the parser refuses
  };
  Kind kind = Kind::end;
  std::string text;
  Position at;
};

/// What one call may hand over.
struct Limits {
  std::size_t bytes = 64 << 10;
  std::size_t tokens = 20'000;
  std::size_t statements = 100;
  int depth = 60;          ///< brackets, subselects and operators within one another
  std::size_t values = 2100;  ///< for question marks
};

/// bad_request: what is wrong and where.
Error fault(std::string text, Position at);

/// Comments are left out; the last token is the end. bad_request for a text that is not closed, a character T-SQL does not
/// know, and for what is over the limits.
Result<std::vector<Token>> tokens_of(std::string_view text, const Limits& limits);

}  // namespace mandate::tables::tsql
