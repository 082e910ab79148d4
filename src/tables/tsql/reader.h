// The parser's hands. Inside the stage only.
#pragma once

#include "tables/tsql/parser.h"

namespace mandate::tables::tsql {

/// Walks over the tokens. expressions.cpp reads expressions, parser.cpp the rest.
class Reader {
 public:
  Reader(std::vector<Token> tokens, std::string_view service, const Limits& limits)
      : tokens_(std::move(tokens)), service_(service), limits_(limits) {}
  Result<Script> script();

 private:
  using Kind = Token::Kind;

  // Statements (parser.cpp).
  Result<Statement> statement();
  Result<Statement> select_statement();
  Result<Statement> insert_statement();
  Result<Statement> update_statement();
  Result<Statement> delete_statement();
  Result<void> which_rows(Statement& out, Select select, Position place);
  Result<Statement> transaction(Statement::Kind kind);
  Result<std::unique_ptr<Query>> query();
  Result<Select> select();
  Result<Item> item();
  Result<void> top(Select& into);
  Result<std::vector<Source>> sources();
  Result<Source> source();
  Result<void> hints();
  Result<std::optional<std::string>> alias(bool bare);
  Result<std::string> table_name();
  Result<std::string> column_name();

  // Expressions (expressions.cpp).
  Result<ExprPtr> condition();
  Result<ExprPtr> scalar();
  Result<ExprPtr> any(int level);
  Result<ExprPtr> logical(int level);
  Result<ExprPtr> predicate();
  Result<ExprPtr> predicate_of(ExprPtr left, bool negated);
  Result<ExprPtr> sum();
  Result<ExprPtr> product();
  Result<ExprPtr> unary();
  Result<ExprPtr> primary();
  Result<ExprPtr> named();
  Result<ExprPtr> column();
  Result<ExprPtr> call(const Token& name);
  Result<ExprPtr> aggregate(const Token& name, Aggregate which);
  Result<ExprPtr> cast(const Token& name);
  Result<Cast> type();
  Result<ExprPtr> case_when();
  Result<ExprPtr> made(ExprPtr e) const;
  ExprPtr fresh(Op op) const;

  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(pos_ + ahead, tokens_.size() - 1)]; }
  Token take() { return tokens_[pos_ < tokens_.size() - 1 ? pos_++ : pos_]; }
  bool at_word(std::string_view word, std::size_t ahead = 0) const;
  bool at_symbol(std::string_view symbol, std::size_t ahead = 0) const;
  bool take_word(std::string_view word);
  bool take_symbol(std::string_view symbol);
  Result<void> expect_word(std::string_view word);
  Result<void> expect_symbol(std::string_view symbol);
  bool at_name() const;
  /// The service's name before a point, also when it is a word such as "default".
  bool at_service() const;
  Error unexpected() const;

  /// One level deeper for as long as it lives.
  struct Level {
    explicit Level(Reader& reader) : reader(reader) { ++reader.depth_; }
    ~Level() { --reader.depth_; }
    Level(const Level&) = delete;
    Reader& reader;
  };
  Result<void> check_depth() const;

  std::vector<Token> tokens_;
  std::string_view service_;
  const Limits& limits_;
  std::size_t pos_ = 0;
  std::size_t parameters_ = 0;
  int depth_ = 0;
};

/// Whether a word means something to the grammar, so that it is no name without brackets.
bool reserved(std::string_view word);

}  // namespace mandate::tables::tsql
