// Cuts OData text into tokens, one at a time.
#pragma once

#include <cstddef>
#include <optional>
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
    moment,      ///< text: yyyy-MM-ddTHH:mm… without quotes, its offset's "+" put right
    date,        ///< text: yyyy-MM-dd without quotes
    time,        ///< text: HH:mm… without quotes
    guid,        ///< text: a guid without quotes
    open, close, comma, slash, minus,
  };
  Kind kind = Kind::end;
  std::string text;
  std::string type;
  std::size_t at = 0;
  bool folded = false;
};

/// V1 and V2 speak the grammar that the Mobile Services had (mobile-backend-wire 3.1), V3 and V4 that of OData 4 with words in
/// any letter case. Whatever `v2` takes, `v4` takes with the same meaning.
enum class Grammar { v2, v4 };

/// "Syntax error (at index 2)" and its cousins, as bad_request.
Error error_at(std::string_view what, std::size_t at);

/// Whitespace is free. A blank after the E of a number is a "+" that a URL lost (mobile-backend-wire 0.4 #10).
class Lexer {
 public:
  explicit Lexer(std::string_view text, Grammar grammar = Grammar::v2) : text_(text), grammar_(grammar) {}
  Result<Token> next();
  /// Inside the brackets of `in` a quote ends a text only before a comma or bracket: Datasync clients do not double them
  /// there (mobile-backend-wire 3.4).
  void tolerate_quotes(bool on) { tolerant_ = on; }

 private:
  Result<Token> quoted(std::size_t start);
  bool ends_text() const;
  std::optional<Token> bare();
  Result<Token> number();
  Result<Token> word();
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view text_;
  Grammar grammar_;
  std::size_t pos_ = 0;
  bool tolerant_ = false;
};

}  // namespace mandate::tables::odata
