// Numbers the parameters of one statement while its text is made.
#pragma once

#include "store/postgres/compile.h"

namespace mandate::store::postgres {

/// Values must be bound in the order of read_shape. What lead() and bind() give stands for a parameter until finish().
class Binder {
 public:
  enum class Style {
    plain,   ///< every parameter is one value
    arrays,  ///< every parameter is an array, one element for each of many callers
    rows,    ///< what leads is one value, what is bound is an array
  };
  Binder(Statement& statement, Style style) : statement_(statement), style_(style) {}

  std::string lead(Lead lead);
  std::string bind(Kind kind);
  /// The value of the shape that comes next has no parameter.
  void skip() { statement_.bound.push_back(Kind::none); }
  /// The arrays as rows: columns p1, p2 … and o, the number of the row from 1.
  std::string arrays(std::string_view alias);
  /// The text with its parameters numbered: what leads first, then the values.
  std::string finish(std::string_view text);

 private:
  Statement& statement_;
  Style style_;
};

}  // namespace mandate::store::postgres
