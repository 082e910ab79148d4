#include "tables/odata/lexer.h"

#include "tables/odata/edm.h"

namespace mandate::tables::odata {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool starts_word(char c) { return is_letter(c) || c == '_' || c == '@'; }
bool in_word(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }
bool is_one_of(char c, std::string_view set) { return c != '\0' && set.find(c) != std::string_view::npos; }

// U+0131: phones with a Turkish locale lower-case INDEXOF to "ındexof" (mobile-backend-wire 3.4).
constexpr std::string_view kDotlessI = "\xC4\xB1";

}  // namespace

Error error_at(std::string_view what, std::size_t at) {
  return Error(Code::bad_request, std::string(what) + " (at index " + std::to_string(at) + ")");
}

Result<Token> Lexer::next() {
  while (is_one_of(at(pos_), " \t\r\n")) ++pos_;
  if (pos_ >= text_.size()) return Token{Token::Kind::end, {}, {}, text_.size(), false};
  const char c = text_[pos_];
  const auto single = [&](Token::Kind kind) { return Token{kind, std::string(1, c), {}, pos_++, false}; };
  switch (c) {
    case '(': return single(Token::Kind::open);
    case ')': return single(Token::Kind::close);
    case ',': return single(Token::Kind::comma);
    case '/': return single(Token::Kind::slash);
    case '-': return single(Token::Kind::minus);
    case '\'': return quoted(pos_);
    default: break;
  }
  if (auto token = bare()) return *std::move(token);
  if (is_digit(c)) return number();
  if (starts_word(c) || text_.substr(pos_).starts_with(kDotlessI)) return word();
  return error_at("Syntax error", pos_);
}

// '…' with '' for a quote; `start` is where the token began, pos_ stands on the opening quote.
Result<Token> Lexer::quoted(std::size_t start) {
  Token token{Token::Kind::string, {}, {}, start, false};
  for (++pos_;; ++pos_) {
    if (pos_ >= text_.size()) return error_at("Unterminated string literal", text_.size());
    if (text_[pos_] == '\'') {
      if (at(pos_ + 1) == '\'') ++pos_;
      else if (ends_text()) break;
    }
    token.text += text_[pos_];
  }
  ++pos_;
  return token;
}

bool Lexer::ends_text() const {
  if (!tolerant_) return true;
  std::size_t next = pos_ + 1;
  while (at(next) == ' ') ++next;
  return next >= text_.size() || at(next) == ',' || at(next) == ')';
}

// Dates, times and guids without quotes, which no number or word looks like.
std::optional<Token> Lexer::bare() {
  const auto digits = [&](std::size_t from, std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i)
      if (pattern[i] == '0' ? !is_digit(at(from + i)) : at(from + i) != pattern[i]) return false;
    return true;
  };
  const auto token = [&](Token::Kind kind, std::size_t size) {
    Token out{kind, std::string(text_.substr(pos_, size)), {}, pos_, false};
    pos_ += size;
    return out;
  };
  if (is_guid(text_.substr(pos_, 36)) && !in_word(at(pos_ + 36))) return token(Token::Kind::guid, 36);
  if (!is_digit(at(pos_))) return std::nullopt;
  const auto clock = [&](std::size_t from) {
    while (is_digit(at(from)) || at(from) == ':' || at(from) == '.') ++from;
    return from - pos_;
  };
  if (digits(pos_, "00:00")) return token(Token::Kind::time, clock(pos_));
  if (!digits(pos_, "0000-00-00")) return std::nullopt;
  if (!is_one_of(at(pos_ + 10), "Tt")) return token(Token::Kind::date, 10);
  const std::size_t size = clock(pos_ + 11), end = pos_ + size;
  if (is_one_of(at(end), "Zz")) return token(Token::Kind::moment, size + 1);
  if (!is_one_of(at(end), "+- ") || !digits(end + 1, "00:00")) return token(Token::Kind::moment, size);
  Token moment = token(Token::Kind::moment, size + 6);
  if (moment.text[size] == ' ') moment.text[size] = '+';  // a "+" that a URL lost
  return moment;
}

Result<Token> Lexer::number() {
  Token token{Token::Kind::integer, {}, {}, pos_, false};
  const auto digits = [&] {
    while (is_digit(at(pos_))) token.text += text_[pos_++];
  };
  digits();
  if (at(pos_) == '.') {
    if (!is_digit(at(pos_ + 1))) return error_at("Syntax error", pos_ + 1);
    token.kind = Token::Kind::real;
    token.text += text_[pos_++];
    digits();
  }
  if (is_one_of(at(pos_), "eE")) {
    const bool sign = is_one_of(at(pos_ + 1), "+- ");
    if (!is_digit(at(pos_ + (sign ? 2 : 1)))) return error_at("Syntax error", pos_ + 1);
    token.kind = Token::Kind::real;
    token.text += 'e';
    if (sign && at(pos_ + 1) == '-') token.text += '-';
    pos_ += sign ? 2 : 1;
    digits();
  }
  if (is_one_of(at(pos_), "fFmMdD")) {
    token.kind = Token::Kind::real;
    ++pos_;
  } else if (token.kind == Token::Kind::integer && is_one_of(at(pos_), "lL")) {
    ++pos_;
  }
  if (in_word(at(pos_)) && at(pos_) != '-') return error_at("Syntax error", pos_);
  return token;
}

Result<Token> Lexer::word() {
  Token token{Token::Kind::identifier, {}, {}, pos_, false};
  while (pos_ < text_.size()) {
    if (text_.substr(pos_).starts_with(kDotlessI)) {
      token.text += 'i', token.folded = true;
      pos_ += kDotlessI.size();
    } else if (in_word(text_[pos_]) || (pos_ == token.at && text_[pos_] == '@') ||
               (grammar_ == Grammar::v4 && text_[pos_] == '.' && is_letter(at(pos_ + 1)))) {
      token.text += text_[pos_++];
    } else {
      break;
    }
  }
  if (at(pos_) != '\'') return token;
  TRY(Token literal, quoted(token.at));
  literal.kind = Token::Kind::typed;
  literal.type = std::move(token.text);
  return literal;
}

}  // namespace mandate::tables::odata
