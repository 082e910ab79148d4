#include "tables/rules/parser.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/json.h"

namespace mandate::tables::rules {
namespace {

constexpr std::size_t kMostBytes = 8192, kMostNodes = 400;
constexpr int kMostLevels = 60;

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Token {
  enum class Kind { end, name, text, number, sign };
  Kind kind = Kind::end;
  std::string text;
  store::Value value;
  std::size_t at = 0;
};

Error wrong(std::string what, std::size_t at) {
  return Error(Code::invalid_request, std::move(what) + " (at index " + std::to_string(at) + ")");
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<Token> next() {
    while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\t' || text_[pos_] == '\n' || text_[pos_] == '\r')) ++pos_;
    Token out;
    out.at = pos_;
    if (pos_ == text_.size()) return out;
    const char c = text_[pos_];
    if (begins_name(c)) {
      while (pos_ < text_.size() && in_name(text_[pos_])) out.text += text_[pos_++];
      out.kind = Token::Kind::name;
      return out;
    }
    if (c == '\'' || c == '"') return quoted(c);
    if (is_digit(c) || (c == '-' && pos_ + 1 < text_.size() && is_digit(text_[pos_ + 1]))) return number();
    for (const std::string_view sign : {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", "."}) {
      if (!text_.substr(pos_).starts_with(sign)) continue;
      pos_ += sign.size();
      out.kind = Token::Kind::sign;
      out.text = sign;
      return out;
    }
    if (c == '=') return wrong("'=' sets nothing here: compare with '=='", pos_);
    return wrong("a character that means nothing here", pos_);
  }

 private:
  Result<Token> quoted(char quote) {
    Token out;
    out.kind = Token::Kind::text;
    out.at = pos_++;
    while (pos_ < text_.size()) {
      const char c = text_[pos_++];
      const bool more = pos_ < text_.size();
      if (c == '\\' && more && (text_[pos_] == quote || text_[pos_] == '\\')) {
        out.text += text_[pos_++];
      } else if (c == quote) {
        if (!more || text_[pos_] != quote) {
          out.value = out.text;
          return out;
        }
        out.text += text_[pos_++];
      } else {
        out.text += c;
      }
    }
    return wrong("a text that does not end", out.at);
  }

  Result<Token> number() {
    Token out;
    out.kind = Token::Kind::number;
    out.at = pos_;
    std::size_t end = pos_ + 1;
    bool real = false;
    for (; end < text_.size(); ++end) {
      const char c = text_[end];
      const bool sign = (c == '-' || c == '+') && (text_[end - 1] == 'e' || text_[end - 1] == 'E');
      const bool point = c == '.' && end + 1 < text_.size() && is_digit(text_[end + 1]);
      if (!is_digit(c) && !sign && !point && c != 'e' && c != 'E') break;
      real = real || !is_digit(c);
    }
    out.text = text_.substr(pos_, end - pos_);
    const char *first = out.text.data(), *last = first + out.text.size();
    std::int64_t whole = 0;
    double number = 0;
    if (const auto [stop, error] = std::from_chars(first, last, whole); !real && error == std::errc{} && stop == last) out.value = whole;
    else if (const auto [stop2, error2] = std::from_chars(first, last, number); error2 == std::errc{} && stop2 == last && std::isfinite(number)) out.value = number;
    else return wrong("'" + out.text.substr(0, 40) + "' is no number", pos_);
    pos_ = end;
    return out;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
};

struct Word {
  std::string_view word;
  Kind kind;
};
constexpr Word kCompares[] = {{"==", Kind::eq}, {"!=", Kind::ne}, {"<=", Kind::le}, {"<", Kind::lt}, {">=", Kind::ge}, {">", Kind::gt},
                              {"in", Kind::in}, {"contains", Kind::contains}, {"startsWith", Kind::starts_with}, {"endsWith", Kind::ends_with}};
constexpr Word kCalls[] = {{"contains", Kind::contains}, {"startsWith", Kind::starts_with}, {"endsWith", Kind::ends_with},
                           {"lower", Kind::lower},       {"upper", Kind::upper},            {"length", Kind::length}};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<NodePtr> parse() {
    CHECK_OK(advance());
    TRY(NodePtr out, either());
    if (token_.kind != Token::Kind::end) return expected("the end");
    return out;
  }

 private:
  Result<void> advance() {
    TRY(token_, lexer_.next());
    return {};
  }
  bool is(std::string_view text) const { return (token_.kind == Token::Kind::sign || token_.kind == Token::Kind::name) && token_.text == text; }
  Error expected(std::string_view what) const {
    return wrong("expected " + std::string(what) + ", found " + (token_.kind == Token::Kind::end ? std::string("the end") : "'" + token_.text.substr(0, 40) + "'"), token_.at);
  }
  Result<NodePtr> made(Node node) {
    if (++nodes_ > kMostNodes) return wrong("the rule is too large", token_.at);
    return std::make_shared<const Node>(std::move(node));
  }

  struct Level {
    int& levels;
    explicit Level(int& l) : levels(l) { ++levels; }
    Level(const Level&) = delete;
    ~Level() { --levels; }
  };

  Result<NodePtr> either() { return chain(Kind::or_, "||", "or", &Parser::both); }
  Result<NodePtr> both() { return chain(Kind::and_, "&&", "and", &Parser::negation); }

  Result<NodePtr> chain(Kind kind, std::string_view sign, std::string_view word, Result<NodePtr> (Parser::*part)()) {
    const Level level(levels_);
    if (levels_ > 3 * kMostLevels) return wrong("the rule is nested too deeply", token_.at);
    std::vector<NodePtr> args;
    TRY(NodePtr first, (this->*part)());
    args.push_back(std::move(first));
    while (is(sign) || is(word)) {
      CHECK_OK(advance());
      TRY(NodePtr next, (this->*part)());
      args.push_back(std::move(next));
    }
    if (args.size() == 1) return args[0];
    return made({kind, {}, {}, std::move(args)});
  }

  Result<NodePtr> negation() {
    if (!is("!") && !is("not")) return compare();
    const Level level(levels_);
    if (levels_ > 3 * kMostLevels) return wrong("the rule is nested too deeply", token_.at);
    CHECK_OK(advance());
    TRY(NodePtr arg, negation());
    return made({Kind::not_, {}, {}, {std::move(arg)}});
  }

  Result<NodePtr> compare() {
    TRY(NodePtr left, value());
    for (const Word& each : kCompares) {
      if (!is(each.word)) continue;
      CHECK_OK(advance());
      TRY(NodePtr right, value());
      return made({each.kind, {}, {}, {std::move(left), std::move(right)}});
    }
    return left;
  }

  Result<NodePtr> value() {
    if (token_.kind == Token::Kind::text || token_.kind == Token::Kind::number) {
      Node node{Kind::literal, std::move(token_.value), {}, {}};
      CHECK_OK(advance());
      return made(std::move(node));
    }
    if (is("(")) {
      CHECK_OK(advance());
      TRY(NodePtr out, either());
      if (!is(")")) return expected("')'");
      CHECK_OK(advance());
      return out;
    }
    if (is("[")) {
      TRY(std::vector<NodePtr> args, list("]"));
      for (const NodePtr& arg : args)
        if (arg->kind != Kind::literal && arg->kind != Kind::path) return wrong("a list has texts, numbers and names only", token_.at);
      return made({Kind::list, {}, {}, std::move(args)});
    }
    if (token_.kind == Token::Kind::name) return named();
    return expected("a value");
  }

  /// What stands behind an opening bracket, up to the closing one.
  Result<std::vector<NodePtr>> list(std::string_view closing) {
    CHECK_OK(advance());
    std::vector<NodePtr> out;
    if (!is(closing)) {
      for (;;) {
        TRY(NodePtr each, either());
        out.push_back(std::move(each));
        if (!is(",")) break;
        CHECK_OK(advance());
      }
    }
    if (!is(closing)) return expected("'" + std::string(closing) + "'");
    CHECK_OK(advance());
    return out;
  }

  Result<NodePtr> named() {
    const std::string first = token_.text;
    const std::size_t at = token_.at;
    CHECK_OK(advance());
    if (first == "true" || first == "false") return made({Kind::literal, first == "true", {}, {}});
    if (first == "null") return made({});
    if (is("(")) {
      for (const Word& each : kCalls) {
        if (first != each.word) continue;
        TRY(std::vector<NodePtr> args, list(")"));
        const bool one = each.kind == Kind::lower || each.kind == Kind::upper || each.kind == Kind::length;
        if (args.size() != (one ? 1U : 2U)) return wrong("'" + first + "' takes " + (one ? "one value" : "two values"), at);
        return made({each.kind, {}, {}, std::move(args)});
      }
      return wrong("there is no function '" + first + "'", at);
    }
    Node path{Kind::path, {}, {first}, {}};
    while (is(".") || is("[")) {
      const bool bracket = is("[");
      CHECK_OK(advance());
      if (token_.kind != (bracket ? Token::Kind::text : Token::Kind::name)) return expected(bracket ? "a text" : "a name");
      path.path.push_back(token_.text);
      CHECK_OK(advance());
      if (!bracket) continue;
      if (!is("]")) return expected("']'");
      CHECK_OK(advance());
    }
    return made(std::move(path));
  }

  Lexer lexer_;
  Token token_;
  std::size_t nodes_ = 0;
  int levels_ = 0;
};

std::string_view word(Kind kind) {
  switch (kind) {
    case Kind::literal: return "";
    case Kind::list: return "list";
    case Kind::path: return "";
    case Kind::not_: return "not";
    case Kind::and_: return "and";
    case Kind::or_: return "or";
    case Kind::lower: return "lower";
    case Kind::upper: return "upper";
    case Kind::length: return "length";
    default: break;
  }
  for (const Word& each : kCompares)
    if (each.kind == kind) return each.word;
  return "";
}

std::string text_of(const store::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    std::string out = "'";
    for (const char c : *text) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    return out + "'";
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&value)) {
    std::string out;
    append_json_number(out, *real);
    // What looks whole would be read as such.
    return out.find_first_of(".eE") == std::string::npos ? out + ".0" : out;
  }
  return "null";
}

std::string text_of(const std::vector<std::string>& path) {
  std::string out = path.front();
  for (std::size_t i = 1; i < path.size(); ++i) {
    bool name = !path[i].empty() && begins_name(path[i].front());
    for (const char c : path[i]) name = name && in_name(c);
    out += name ? "." + path[i] : "[" + text_of(store::Value(path[i])) + "]";
  }
  return out;
}

void append_outline(std::string& out, const Node& node, std::size_t level) {
  out.append(2 * level, ' ');
  if (node.kind == Kind::literal) out += text_of(node.value);
  else if (node.kind == Kind::path) out += text_of(node.path);
  else out += word(node.kind);
  out += '\n';
  for (const NodePtr& arg : node.args) append_outline(out, *arg, level + 1);
}

}  // namespace

Result<NodePtr> parse(std::string_view text) {
  if (text.size() > kMostBytes) return Error(Code::invalid_request, "the rule is longer than " + std::to_string(kMostBytes) + " bytes");
  return Parser(text).parse();
}

std::string outline(const Node& node) {
  std::string out;
  append_outline(out, node, 0);
  return out;
}

std::string to_text(const Node& node) {
  std::string out;
  const auto list = [&](std::string_view between) {
    for (std::size_t i = 0; i < node.args.size(); ++i) out += (i ? std::string(between) : "") + to_text(*node.args[i]);
  };
  switch (node.kind) {
    case Kind::literal: return text_of(node.value);
    case Kind::path: return text_of(node.path);
    case Kind::list:
      out = "[";
      list(", ");
      return out + "]";
    case Kind::not_: return "!(" + to_text(*node.args[0]) + ")";
    case Kind::and_:
    case Kind::or_:
      out = "(";
      list(node.kind == Kind::and_ ? " && " : " || ");
      return out + ")";
    case Kind::lower:
    case Kind::upper:
    case Kind::length:
    case Kind::contains:
    case Kind::starts_with:
    case Kind::ends_with:
      out = std::string(word(node.kind)) + "(";
      list(", ");
      return out + ")";
    default:
      out = "(";
      list(" " + std::string(word(node.kind)) + " ");
      return out + ")";
  }
}

}  // namespace mandate::tables::rules
