// The functions of mobile-backend-wire 3.3: names, arguments, what they yield.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/expr.h"

namespace mandate::tables::odata {

struct FunctionInfo {
  std::string_view name;
  store::Function function;
  std::size_t least, most;             ///< arguments
  store::Type result;
  std::vector<store::Type> arguments;  ///< what each should be
};

std::span<const FunctionInfo> functions();
/// Lower case only, as the originals.
const FunctionInfo* find_function(std::string_view name);
const FunctionInfo& info_of(store::Function function);

/// Number of arguments, and the limits on `replace`: not nested, its third argument a constant of at most 100 characters.
Result<void> check_arguments(const FunctionInfo& info, const std::vector<store::ExprPtr>& args);

}  // namespace mandate::tables::odata
