#include "tables/odata/functions.h"

#include <string>

namespace mandate::tables::odata {
namespace {

using store::Function;
using store::Type;

const FunctionInfo kFunctions[] = {
    {"substringof", Function::substringof, 2, 2, Type::boolean, {Type::text, Type::text}},
    {"startswith", Function::startswith, 2, 2, Type::boolean, {Type::text, Type::text}},
    {"endswith", Function::endswith, 2, 2, Type::boolean, {Type::text, Type::text}},
    {"concat", Function::concat, 2, 2, Type::text, {Type::text, Type::text}},
    {"indexof", Function::indexof, 2, 2, Type::integer, {Type::text, Type::text}},
    {"replace", Function::replace, 3, 3, Type::text, {Type::text, Type::text, Type::text}},
    {"substring", Function::substring, 2, 3, Type::text, {Type::text, Type::real, Type::real}},
    {"length", Function::length, 1, 1, Type::integer, {Type::text}},
    {"tolower", Function::tolower, 1, 1, Type::text, {Type::text}},
    {"toupper", Function::toupper, 1, 1, Type::text, {Type::text}},
    {"trim", Function::trim, 1, 1, Type::text, {Type::text}},
    {"year", Function::year, 1, 1, Type::integer, {Type::date}},
    {"month", Function::month, 1, 1, Type::integer, {Type::date}},
    {"day", Function::day, 1, 1, Type::integer, {Type::date}},
    {"hour", Function::hour, 1, 1, Type::integer, {Type::date}},
    {"minute", Function::minute, 1, 1, Type::integer, {Type::date}},
    {"second", Function::second, 1, 1, Type::integer, {Type::date}},
    {"floor", Function::floor, 1, 1, Type::real, {Type::real}},
    {"ceiling", Function::ceiling, 1, 1, Type::real, {Type::real}},
    {"round", Function::round, 1, 1, Type::real, {Type::real}},
};

bool holds_replace(const store::Expr& tree) {
  if (tree.function == Function::replace) return true;
  for (const auto& arg : tree.args)
    if (holds_replace(*arg)) return true;
  return false;
}

}  // namespace

std::span<const FunctionInfo> functions() { return kFunctions; }

const FunctionInfo* find_function(std::string_view name) {
  for (const FunctionInfo& info : kFunctions)
    if (info.name == name) return &info;
  return nullptr;
}

const FunctionInfo& info_of(Function function) {
  for (const FunctionInfo& info : kFunctions)
    if (info.function == function) return info;
  return kFunctions[0];
}

Result<void> check_arguments(const FunctionInfo& info, const std::vector<store::ExprPtr>& args) {
  if (args.size() < info.least || args.size() > info.most) {
    const std::string name = "Function '" + std::string(info.name) + "' requires ";
    if (info.least != info.most) return Error(Code::bad_request, name + std::to_string(info.least) + " or " + std::to_string(info.most) + " parameters.");
    return Error(Code::bad_request, name + std::to_string(info.least) + (info.least == 1 ? " parameter." : " parameters."));
  }
  if (info.function != Function::replace) return {};
  for (const auto& arg : args)
    if (holds_replace(*arg)) return Error(Code::bad_request, "Function 'replace' may not be nested.");
  const auto* with = std::get_if<std::string>(&args[2]->value);
  if (args[2]->op != store::Op::literal || !with || with->size() > 100)
    return Error(Code::bad_request, "The third parameter of function 'replace' must be a text of at most 100 characters.");
  return {};
}

}  // namespace mandate::tables::odata
