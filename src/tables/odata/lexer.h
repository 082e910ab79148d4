// Cuts OData text into tokens, one at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mandate::tables::odata {

/// One token. `at` counts bytes from the start of the text.
struct Token {
  enum class Kind {
    end,
    identifier,  ///< text: the word; a dotless i in it was read as i when `folded` is set
    string,      ///< text: without quotes, '' undone
    typed,       ///< type'text': `text` is between the quotes, `type` before them
    integer,     ///< text: digits
    real,        ///< text: what strtod reads
    open, close, comma, slash, minus,
  };
  Kind kind = Kind::end;
  std::string text;
  std::string type;
  std::size_t at = 0;
  bool folded = false;
};

/// "Syntax error (at index 2)" and its cousins, as bad_request.
Error error_at(std::string_view what, std::size_t at);

/// Whitespace is free. A blank after the E of a number is a "+" that a URL lost (mobile-backend-wire 0.4 #10).
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Result<Token> next();

 private:
  Result<Token> quoted(std::size_t start);
  Result<Token> number();
  Result<Token> word();
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view text_;
  std::size_t pos_ = 0;
};

}  // namespace mandate::tables::odata
