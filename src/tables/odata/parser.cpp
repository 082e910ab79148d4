#include "tables/odata/parser.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/base64.h"
#include "base/clock.h"
#include "base/url.h"
#include "tables/odata/functions.h"
#include "tables/odata/lexer.h"

namespace mandate::tables::odata {
namespace {

using store::Op;
using Kind = Token::Kind;

/// A piece of the tree and how tall it is.
struct Piece {
  Tree tree;
  std::size_t height = 1;
};

struct Operator {
  std::string_view word;
  Op op;
};
constexpr Operator kCompare[] = {{"eq", Op::eq}, {"ne", Op::ne}, {"gt", Op::gt}, {"ge", Op::ge}, {"lt", Op::lt}, {"le", Op::le}};
constexpr Operator kAdd[] = {{"add", Op::add}, {"sub", Op::sub}};
constexpr Operator kMultiply[] = {{"mul", Op::mul}, {"div", Op::div}, {"mod", Op::mod}};

bool is_keyword(std::string_view word) {
  for (std::string_view k : {"and", "or", "eq", "ne", "gt", "ge", "lt", "le", "add", "sub", "mul", "div", "mod", "not"})
    if (word == k) return true;
  return false;
}

/// Recursive descent, one method per rule of mobile-backend-wire 3.1.
class Parser {
 public:
  Parser(std::string_view text, const Limits& limits) : lexer_(text), limits_(limits) {}

  Result<Tree> filter() {
    CHECK_OK(advance());
    TRY(Piece piece, either());
    if (token_.kind != Kind::end) return syntax_error();
    return std::move(piece.tree);
  }

  Result<std::vector<Ordering>> order() {
    std::vector<Ordering> out;
    do {
      if (out.size() >= limits_.orderings) return Error(Code::bad_request, "The query orders by too many expressions.");
      CHECK_OK(advance());
      TRY(Piece piece, either());
      Ordering ordering{std::move(piece.tree), false};
      if (token_.kind == Kind::identifier && (token_.text == "asc" || token_.text == "desc")) {
        ordering.descending = token_.text == "desc";
        CHECK_OK(advance());
      }
      out.push_back(std::move(ordering));
    } while (token_.kind == Kind::comma);
    if (token_.kind != Kind::end) return syntax_error();
    return out;
  }

 private:
  Result<void> advance() {
    TRY(token_, lexer_.next());
    return {};
  }
  Error syntax_error() const { return error_at("Syntax error", token_.at); }
  bool at_word(std::string_view word) const { return token_.kind == Kind::identifier && token_.text == word; }

  // Chains of the same word become one flat node, also when each step is in brackets: a long "or" of an old SDK is wide,
  // not deep.
  Result<Piece> chain(std::string_view word, Op op, Result<Piece> (Parser::*operand)()) {
    TRY(Piece first, (this->*operand)());
    if (!at_word(word)) return first;
    std::vector<Tree> args;
    std::size_t height = 0;
    const auto take = [&](Piece piece) {
      const bool same = piece.tree->op == op;
      height = std::max(height, same ? piece.height - 1 : piece.height);
      if (same) args.insert(args.end(), piece.tree->args.begin(), piece.tree->args.end());
      else args.push_back(std::move(piece.tree));
    };
    take(std::move(first));
    while (at_word(word)) {
      CHECK_OK(advance());
      TRY(Piece next, (this->*operand)());
      take(std::move(next));
    }
    return node(store::make(op, std::move(args)), height);
  }
  Result<Piece> either() { return chain("or", Op::or_, &Parser::every); }
  Result<Piece> every() { return chain("and", Op::and_, &Parser::compare); }

  template <std::size_t N>
  Result<Piece> binary(const Operator (&operators)[N], store::Type type, Result<Piece> (Parser::*operand)()) {
    TRY(Piece left, (this->*operand)());
    for (;;) {
      const Operator* found = nullptr;
      if (token_.kind == Kind::identifier)
        for (const Operator& o : operators)
          if (token_.text == o.word) found = &o;
      if (!found) return left;
      CHECK_OK(advance());
      TRY(Piece right, (this->*operand)());
      TRY(left, node(store::make(found->op, {left.tree, right.tree}, type), std::max(left.height, right.height)));
    }
  }
  Result<Piece> compare() { return binary(kCompare, store::Type::boolean, &Parser::sum); }
  Result<Piece> sum() { return binary(kAdd, store::Type::real, &Parser::product); }
  Result<Piece> product() { return binary(kMultiply, store::Type::real, &Parser::unary); }

  Result<Piece> unary() {
    const bool negative = token_.kind == Kind::minus;
    if (!negative && !at_word("not")) return primary();
    TRY(Deeper deeper, enter());
    CHECK_OK(advance());
    TRY(Piece piece, unary());
    if (!negative) return node(store::make(Op::not_, {piece.tree}), piece.height);
    if (piece.tree->op == Op::literal) {
      if (const auto* i = std::get_if<std::int64_t>(&piece.tree->value); i && piece.tree->type == store::Type::integer)
        return Piece{store::literal(-*i, store::Type::integer), piece.height};
      if (const auto* d = std::get_if<double>(&piece.tree->value)) return Piece{store::literal(-*d, store::Type::real), piece.height};
    }
    return node(store::make(Op::negate, {piece.tree}, store::Type::real), piece.height);
  }

  Result<Piece> primary() {
    TRY(Piece piece, start());
    while (token_.kind == Kind::slash) {
      CHECK_OK(advance());
      if (token_.kind != Kind::identifier || piece.tree->op != Op::column || token_.folded) return syntax_error();
      const Token member = token_;
      CHECK_OK(advance());
      if (token_.kind == Kind::open) return unknown(member);
      piece.tree = store::column(member.text);  // a/b reads column b
    }
    return piece;
  }

  Result<Piece> start() {
    const Token token = token_;
    switch (token.kind) {
      case Kind::open: return parenthesised();
      case Kind::string: return leaf(store::literal(token.text, store::Type::text));
      case Kind::typed: return typed(token);
      case Kind::integer:
      case Kind::real: return number(token);
      case Kind::identifier: return identifier(token);
      default: return syntax_error();
    }
  }

  Result<Piece> parenthesised() {
    TRY(Deeper deeper, enter());
    CHECK_OK(advance());
    TRY(Piece piece, either());
    if (token_.kind != Kind::close) return syntax_error();
    CHECK_OK(advance());
    return piece;
  }

  Result<Piece> identifier(const Token& token) {
    if (token.text == "true" || token.text == "false") return leaf(store::literal(token.text == "true", store::Type::boolean));
    if (token.text == "null") return leaf(store::literal(store::Value{}));
    if (is_keyword(token.text)) return syntax_error();
    CHECK_OK(advance());
    if (token_.kind == Kind::open) return call(token);
    if (token.folded) return error_at("Syntax error", token.at);
    return counted(Piece{store::column(token.text), 1});
  }

  Result<Piece> call(const Token& name) {
    const FunctionInfo* info = find_function(name.text);
    if (!info) return unknown(name);
    TRY(Deeper deeper, enter());
    TRY(Deeper inside, enter(functions_, limits_.functions));
    std::vector<Tree> args;
    std::size_t height = 0;
    CHECK_OK(advance());
    while (token_.kind != Kind::close) {
      if (!args.empty()) {
        if (token_.kind != Kind::comma) return syntax_error();
        CHECK_OK(advance());
      }
      TRY(Piece arg, either());
      height = std::max(height, arg.height);
      args.push_back(std::move(arg.tree));
    }
    CHECK_OK(advance());
    CHECK_OK(check_arguments(*info, args));
    return node(store::call(info->function, std::move(args), info->result), height);
  }

  Result<Piece> typed(const Token& token) {
    if (token.type == "datetime" || token.type == "datetimeoffset") {
      std::string text = token.text;
      // The "+" of an offset arrives as a blank when the client did not encode it.
      if (const auto blank = text.rfind(' '); blank != std::string::npos && text.find('T') < blank) text[blank] = '+';
      const auto ms = parse_iso8601(text);
      if (!ms) return error_at("Invalid '" + token.type + "' type creation expression", token.at);
      return leaf(store::literal(*ms, store::Type::date));
    }
    if (token.type == "guid") return leaf(store::literal(ascii_lower(token.text), store::Type::text));
    if (token.type == "time") return leaf(store::literal(token.text, store::Type::text));
    if (token.type == "X" || token.type == "binary") {
      const auto bytes = from_hex(ascii_lower(token.text));
      if (!bytes) return error_at("Invalid 'binary' type creation expression", token.at);
      return leaf(store::literal(base64(*bytes), store::Type::text));
    }
    return error_at("Unknown identifier '" + token.type + "'", token.at);
  }

  // Beyond 2^53 a number loses digits, as a float column does.
  Result<Piece> number(const Token& token) {
    std::int64_t whole = 0;
    if (token.kind == Kind::integer) {
      const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), whole);
      if (error == std::errc{} && whole <= (std::int64_t(1) << 53)) return leaf(store::literal(whole, store::Type::integer));
    }
    double real = 0;
    const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), real);
    if (error == std::errc::result_out_of_range) real = std::strtod(token.text.c_str(), nullptr);  // too small is zero
    if (!std::isfinite(real)) return error_at("The number is out of range", token.at);
    return leaf(store::literal(real, store::Type::real));
  }

  static Error unknown(const Token& token) { return error_at("Unknown identifier '" + token.text + "'", token.at); }

  /// A literal: the token is used up.
  Result<Piece> leaf(Tree tree) {
    CHECK_OK(advance());
    return counted(Piece{std::move(tree), 1});
  }
  Result<Piece> counted(Piece piece) {
    if (++nodes_ > limits_.nodes) return Error(Code::bad_request, "The query is too long.");
    return piece;
  }
  Result<Piece> node(Tree tree, std::size_t height_below) {
    if (height_below >= limits_.depth + 10) return too_deep();
    return counted(Piece{std::move(tree), height_below + 1});
  }
  static Error too_deep() { return Error(Code::bad_request, "The query is nested too deeply."); }

  struct Leave {
    void operator()(std::size_t* depth) const { --*depth; }
  };
  using Deeper = std::unique_ptr<std::size_t, Leave>;
  Result<Deeper> enter() { return enter(depth_, limits_.depth); }
  static Result<Deeper> enter(std::size_t& depth, std::size_t most) {
    if (depth >= most) return too_deep();
    ++depth;
    return Deeper(&depth);
  }

  Lexer lexer_;
  const Limits& limits_;
  Token token_;
  std::size_t depth_ = 0, functions_ = 0, nodes_ = 0;
};

Result<void> check_length(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) return Error(Code::bad_request, "The query is too long.");
  return {};
}

}  // namespace

Result<Tree> parse_filter(std::string_view text, const Limits& limits) {
  CHECK_OK(check_length(text, limits));
  return Parser(text, limits).filter();
}

Result<std::vector<Ordering>> parse_order(std::string_view text, const Limits& limits) {
  CHECK_OK(check_length(text, limits));
  return Parser(text, limits).order();
}

Result<std::vector<std::string>> parse_select(std::string_view text, const Limits& limits) {
  CHECK_OK(check_length(text, limits));
  std::vector<std::string> out;
  bool everything = false;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    std::string_view piece = text.substr(start, end - start);
    while (piece.starts_with(' ')) piece.remove_prefix(1);
    while (piece.ends_with(' ')) piece.remove_suffix(1);
    if (piece == "*") {
      everything = true;
    } else if (valid_identifier(piece)) {
      out.emplace_back(piece);
    } else {
      return error_at("Invalid column in '$select'", start);
    }
    if (out.size() > limits.columns) return Error(Code::bad_request, "The query selects too many columns.");
    start = end + 1;
  }
  if (everything) out.clear();
  return out;
}

bool valid_identifier(std::string_view name) {
  if (name.empty() || name.size() > 128 || (name[0] >= '0' && name[0] <= '9')) return false;
  for (char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  return true;
}

}  // namespace mandate::tables::odata
