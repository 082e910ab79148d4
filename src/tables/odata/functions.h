// The functions of mobile-backend-wire 3.3 and those that OData 4 adds: names, arguments, what they yield.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/expr.h"
#include "tables/odata/edm.h"
#include "tables/odata/lexer.h"

namespace mandate::tables::odata {

struct FunctionInfo {
  std::string_view name;
  store::Function function;      ///< none: typing.cpp says what it becomes
  std::size_t least, most;       ///< arguments
  Edm result;
  std::vector<Edm> arguments;    ///< what each should be
  Grammar since = Grammar::v2;
};

std::span<const FunctionInfo> functions();
/// By its name in lower case: V1 and V2 know no other spelling, whoever reads OData 4 folds before. Null when the grammar has
/// no such function.
const FunctionInfo* find_function(std::string_view name, Grammar grammar = Grammar::v2);
/// Of a call in a tree; null for a cast.
const FunctionInfo* info_of(const store::Expr& call);

/// Number of arguments, and the limits on `replace`: not nested, its third argument a constant of at most 100 characters.
Result<void> check_arguments(const FunctionInfo& info, const std::vector<store::ExprPtr>& args);

/// A call as the parser makes it.
store::ExprPtr call_of(const FunctionInfo& info, std::vector<store::ExprPtr> args);
/// cast(what, Edm.…): `type` as edm_named() takes it.
store::ExprPtr cast_of(store::ExprPtr what, std::string_view type);
/// The type that a cast names; empty for any other call.
std::string_view cast_type(const store::Expr& call);

}  // namespace mandate::tables::odata
