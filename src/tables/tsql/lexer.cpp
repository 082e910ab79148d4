#include "tables/tsql/lexer.h"

namespace mandate::tables::tsql {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '#' || static_cast<unsigned char>(c) >= 0x80; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<Token> next() {
    CHECK_OK(skip());
    Token token;
    token.at = here_;
    if (done()) return token;
    const char c = peek();
    if (c == '\'') return closed(token, Token::Kind::string, '\'');
    if ((c == 'N' || c == 'n') && peek(1) == '\'') return take(), closed(token, Token::Kind::string, '\'');
    if (c == '[') return closed(token, Token::Kind::quoted, ']');
    if (c == '"') return closed(token, Token::Kind::quoted, '"');
    if (c == '@') return variable(token);
    if (letter(c)) return word(token);
    if (digit(c) || (c == '.' && digit(peek(1)))) return number(token);
    if (c == '?') return token.kind = Token::Kind::parameter, take(), token;
    return symbol(token);
  }

 private:
  bool done() const { return pos_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0'; }
  char take() {
    const char c = text_[pos_++];
    if (c == '\n') ++here_.line, here_.column = 1;
    else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++here_.column;
    return c;
  }

  /// Blanks and comments; those between /* and */ may hold others.
  Result<void> skip() {
    for (;;) {
      if (!done() && blank(peek())) {
        take();
      } else if (peek() == '-' && peek(1) == '-') {
        while (!done() && peek() != '\n') take();
      } else if (peek() == '/' && peek(1) == '*') {
        const Position start = here_;
        int open = 0;
        do {
          if (done()) return fault("A comment is not closed", start);
          if (peek() == '/' && peek(1) == '*') ++open, take();
          else if (peek() == '*' && peek(1) == '/') --open, take();
          take();
        } while (open > 0);
      } else {
        return {};
      }
    }
  }

  /// Up to `end`, which stands for itself when it is doubled.
  Result<Token> closed(Token token, Token::Kind kind, char end) {
    token.kind = kind;
    take();
    for (;;) {
      if (done()) return fault(kind == Token::Kind::string ? "A text is not closed" : "A name is not closed", token.at);
      const char c = take();
      if (c == end) {
        if (peek() != end) break;
        take();
      }
      token.text += c;
    }
    if (kind == Token::Kind::quoted && token.text.empty()) return fault("A name is empty", token.at);
    return token;
  }

  Result<Token> variable(Token token) {
    take();
    token.kind = Token::Kind::variable;
    if (peek() == '@') take(), token.kind = Token::Kind::global;
    while (letter(peek()) || digit(peek())) token.text += take();
    return token;
  }

  Result<Token> word(Token token) {
    token.kind = Token::Kind::word;
    while (letter(peek()) || digit(peek()) || peek() == '$') token.text += take();
    return token;
  }

  Result<Token> number(Token token) {
    token.kind = Token::Kind::whole;
    while (digit(peek())) token.text += take();
    if (peek() == '.') {
      token.kind = Token::Kind::real;
      token.text += take();
      while (digit(peek())) token.text += take();
    }
    if ((peek() == 'e' || peek() == 'E') && (digit(peek(1)) || ((peek(1) == '+' || peek(1) == '-') && digit(peek(2))))) {
      token.kind = Token::Kind::real;
      token.text += take();
      token.text += take();
      while (digit(peek())) token.text += take();
    }
    if (letter(peek())) return fault("A number is followed by a letter", here_);
    return token;
  }

  Result<Token> symbol(Token token) {
    token.kind = Token::Kind::symbol;
    const char c = take();
    token.text = c;
    constexpr std::string_view kSingle = "(),;.*+-/%=<>!&|^~:{}$";
    if (kSingle.find(c) == std::string_view::npos) return fault("There is a character that SQL does not know", token.at);
    if ((c == '<' && (peek() == '=' || peek() == '>')) || (c == '>' && peek() == '=') || (c == '!' && (peek() == '=' || peek() == '<' || peek() == '>'))) token.text += take();
    if (token.text == "!=") token.text = "<>";
    if (token.text == "!<") token.text = ">=";
    if (token.text == "!>") token.text = "<=";
    return token;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  Position here_;
};

}  // namespace

Error fault(std::string text, Position at) {
  return Error(Code::bad_request, std::move(text) + " (line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ").");
}

Result<std::vector<Token>> tokens_of(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) return Error(Code::bad_request, "The SQL text is longer than " + std::to_string(limits.bytes) + " bytes.");
  Lexer lexer(text);
  std::vector<Token> out;
  for (;;) {
    TRY(Token token, lexer.next());
    const bool end = token.kind == Token::Kind::end;
    if (out.size() >= limits.tokens) return fault("The SQL text has too many words", token.at);
    out.push_back(std::move(token));
    if (end) return out;
  }
}

}  // namespace mandate::tables::tsql
