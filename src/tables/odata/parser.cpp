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
constexpr Operator kMultiply4[] = {{"mul", Op::mul}, {"div", Op::div}, {"mod", Op::mod}, {"divby", Op::div}};

bool is_keyword(std::string_view word, Grammar grammar) {
  if (grammar == Grammar::v4 && (word == "in" || word == "divby")) return true;
  for (std::string_view k : {"and", "or", "eq", "ne", "gt", "ge", "lt", "le", "add", "sub", "mul", "div", "mod", "not"})
    if (word == k) return true;
  return false;
}

/// Recursive descent, one method per rule of mobile-backend-wire 3.1.
class Parser {
 public:
  Parser(std::string_view text, const Limits& limits, Grammar grammar) : lexer_(text, grammar), limits_(limits), grammar_(grammar) {}

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
      if (at_word("asc") || at_word("desc")) {
        ordering.descending = at_word("desc");
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
    word_.clear();
    if (token_.kind == Kind::identifier) word_ = grammar_ == Grammar::v4 ? ascii_lower(token_.text) : token_.text;
    return {};
  }
  Error syntax_error() const { return error_at("Syntax error", token_.at); }
  bool at_word(std::string_view word) const { return word_ == word; }

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
      for (const Operator& o : operators)
        if (at_word(o.word)) found = &o;
      if (!found) return left;
      CHECK_OK(advance());
      TRY(Piece right, (this->*operand)());
      if (found->word == "divby") {  // real division, whatever is divided
        TRY(right, node(store::make(Op::mul, {right.tree, store::literal(1.0, store::Type::real)}, store::Type::real), right.height));
      }
      TRY(left, node(store::make(found->op, {left.tree, right.tree}, type), std::max(left.height, right.height)));
    }
  }
  Result<Piece> compare() {
    TRY(Piece left, binary(kCompare, store::Type::boolean, &Parser::sum));
    while (grammar_ == Grammar::v4 && at_word("in")) {
      TRY(left, members(std::move(left)));
    }
    return left;
  }

  // "in" ( a, b, … ), the quotes of texts inside read with tolerance.
  Result<Piece> members(Piece left) {
    CHECK_OK(advance());
    if (token_.kind != Kind::open) return syntax_error();
    TRY(Deeper deeper, enter());
    std::vector<Tree> args{left.tree};
    std::size_t height = left.height;
    lexer_.tolerate_quotes(true);
    do {
      if (args.size() > limits_.members) return Error(Code::bad_request, "The query asks for too many values with 'in'.");
      CHECK_OK(advance());
      TRY(Piece member, sum());
      height = std::max(height, member.height);
      args.push_back(std::move(member.tree));
    } while (token_.kind == Kind::comma);
    if (token_.kind != Kind::close) return syntax_error();
    lexer_.tolerate_quotes(false);
    CHECK_OK(advance());
    return node(store::make(Op::in, std::move(args)), height);
  }
  Result<Piece> sum() { return binary(kAdd, store::Type::real, &Parser::product); }
  Result<Piece> product() {
    if (grammar_ == Grammar::v4) return binary(kMultiply4, store::Type::real, &Parser::unary);
    return binary(kMultiply, store::Type::real, &Parser::unary);
  }

  Result<Piece> unary() {
    const bool negative = token_.kind == Kind::minus;
    if (!negative && !at_word("not")) return primary();
    TRY(Deeper deeper, enter());
    CHECK_OK(advance());
    TRY(Piece piece, unary());
    if (!negative) return node(store::make(Op::not_, {piece.tree}), piece.height);
    if (piece.tree->op == Op::literal) {
      if (const auto* i = std::get_if<std::int64_t>(&piece.tree->value); i && piece.tree->type == store::Type::integer)
        return Piece{literal_of(-*i, edm_of(*piece.tree)), piece.height};
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
      case Kind::moment: return moment(token, Edm::moment, parse_iso8601(token.text));
      case Kind::date: return moment(token, Edm::date, read_date(token.text));
      case Kind::time: return moment(token, Edm::time, read_time(token.text));
      case Kind::guid: return leaf(store::literal(ascii_lower(token.text), store::Type::text));
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
    const std::string word = word_;
    if (word == "true" || word == "false") return leaf(store::literal(word == "true", store::Type::boolean));
    if (word == "null") return leaf(store::literal(store::Value{}));
    if (is_keyword(word, grammar_)) return syntax_error();
    CHECK_OK(advance());
    if (token_.kind == Kind::open) return word == "cast" && grammar_ == Grammar::v4 ? cast() : call(token, word);
    if (token.folded || token.text.find('.') != std::string::npos) return error_at("Syntax error", token.at);
    return counted(Piece{store::column(token.text), 1});
  }

  // cast(what,Edm.Type); some write the type between quotes.
  Result<Piece> cast() {
    TRY(Deeper deeper, enter());
    TRY(Deeper inside, enter(functions_, limits_.functions));
    CHECK_OK(advance());
    TRY(Piece what, either());
    if (token_.kind != Kind::comma) return syntax_error();
    CHECK_OK(advance());
    if ((token_.kind != Kind::identifier && token_.kind != Kind::string) || !edm_named(token_.text)) return unknown(token_);
    Tree tree = cast_of(std::move(what.tree), token_.text);
    CHECK_OK(advance());
    if (token_.kind != Kind::close) return syntax_error();
    CHECK_OK(advance());
    return node(std::move(tree), what.height);
  }

  Result<Piece> call(const Token& name, std::string_view word) {
    const FunctionInfo* info = find_function(word, grammar_);
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
    return node(call_of(*info, std::move(args)), height);
  }

  static Error not_a(std::string_view type, const Token& token) {
    return error_at("Invalid '" + std::string(type) + "' type creation expression", token.at);
  }
  Result<Piece> moment(const Token& token, Edm edm, std::optional<Millis> at) {
    if (!at) return not_a(word(edm), token);
    return leaf(literal_of(*at, edm));
  }

  Result<Piece> typed(const Token& token) {
    const std::string type = grammar_ == Grammar::v4 ? ascii_lower(token.type) : token.type;
    if (type == "datetime" || type == "datetimeoffset") {
      std::string text = token.text;
      // The "+" of an offset arrives as a blank when the client did not encode it.
      if (const auto blank = text.rfind(' '); blank != std::string::npos && text.find('T') < blank) text[blank] = '+';
      const auto ms = parse_iso8601(text);
      if (!ms) return not_a(type, token);
      return leaf(store::literal(*ms, store::Type::date));
    }
    if (type == "guid") return leaf(store::literal(ascii_lower(token.text), store::Type::text));
    if (type == "time") {
      // OData 2 writes a time of day as the duration since midnight.
      const auto since = read_duration(token.text);
      return moment(token, Edm::time, since && *since >= 0 && *since < 86'400'000 ? since : read_time(token.text));
    }
    if (type == "X" || type == "x" || (type == "binary" && grammar_ == Grammar::v2)) {
      const auto bytes = from_hex(ascii_lower(token.text));
      if (!bytes) return not_a("binary", token);
      return leaf(store::literal(base64(*bytes), store::Type::text));
    }
    if (grammar_ == Grammar::v4) {
      if (type == "binary") {
        const auto bytes = base64_any_decode(token.text);
        if (!bytes) return not_a(type, token);
        return leaf(store::literal(base64(*bytes), store::Type::text));
      }
      if (type == "duration") {
        const auto length = read_duration(token.text);
        if (!length) return not_a(type, token);
        return leaf(literal_of(*length, Edm::duration));
      }
      if (type == "geography") {
        auto point = read_point(token.text);
        if (!point) return not_a(type, token);
        return leaf(literal_of(*std::move(point), Edm::point));
      }
      // Namespace.Rating'PG13': a member of an enumeration, whose column says which.
      if (type.find('.') != std::string::npos) return leaf(store::literal(token.text, store::Type::text));
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
  const Grammar grammar_;
  Token token_;
  std::string word_;  ///< of an identifier, in lower case where letter case does not count
  std::size_t depth_ = 0, functions_ = 0, nodes_ = 0;
};

Result<void> check_length(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) return Error(Code::bad_request, "The query is too long.");
  return {};
}

}  // namespace

Result<Tree> parse_filter(std::string_view text, const Limits& limits, Grammar grammar) {
  CHECK_OK(check_length(text, limits));
  return Parser(text, limits, grammar).filter();
}

Result<std::vector<Ordering>> parse_order(std::string_view text, const Limits& limits, Grammar grammar) {
  CHECK_OK(check_length(text, limits));
  return Parser(text, limits, grammar).order();
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
