#include "tables/odata/functions.h"

#include <string>

namespace mandate::tables::odata {
namespace {

using store::Function;

const FunctionInfo kFunctions[] = {
    {"substringof", Function::substringof, 2, 2, Edm::boolean, {Edm::text, Edm::text}},
    {"startswith", Function::startswith, 2, 2, Edm::boolean, {Edm::text, Edm::text}},
    {"endswith", Function::endswith, 2, 2, Edm::boolean, {Edm::text, Edm::text}},
    {"concat", Function::concat, 2, 2, Edm::text, {Edm::text, Edm::text}},
    {"indexof", Function::indexof, 2, 2, Edm::integer, {Edm::text, Edm::text}},
    {"replace", Function::replace, 3, 3, Edm::text, {Edm::text, Edm::text, Edm::text}},
    {"substring", Function::substring, 2, 3, Edm::text, {Edm::text, Edm::real, Edm::real}},
    {"length", Function::length, 1, 1, Edm::integer, {Edm::text}},
    {"tolower", Function::tolower, 1, 1, Edm::text, {Edm::text}},
    {"toupper", Function::toupper, 1, 1, Edm::text, {Edm::text}},
    {"trim", Function::trim, 1, 1, Edm::text, {Edm::text}},
    {"year", Function::year, 1, 1, Edm::integer, {Edm::moment}},
    {"month", Function::month, 1, 1, Edm::integer, {Edm::moment}},
    {"day", Function::day, 1, 1, Edm::integer, {Edm::moment}},
    {"hour", Function::hour, 1, 1, Edm::integer, {Edm::moment}},
    {"minute", Function::minute, 1, 1, Edm::integer, {Edm::moment}},
    {"second", Function::second, 1, 1, Edm::integer, {Edm::moment}},
    {"floor", Function::floor, 1, 1, Edm::real, {Edm::real}},
    {"ceiling", Function::ceiling, 1, 1, Edm::real, {Edm::real}},
    {"round", Function::round, 1, 1, Edm::real, {Edm::real}},
    {"contains", Function::none, 2, 2, Edm::boolean, {Edm::text, Edm::text}, Grammar::v4},
    {"date", Function::day_start, 1, 1, Edm::date, {Edm::moment}, Grammar::v4},
    {"time", Function::time_of_day, 1, 1, Edm::time, {Edm::moment}, Grammar::v4},
    {"fractionalseconds", Function::fraction, 1, 1, Edm::real, {Edm::moment}, Grammar::v4},
    {"totaloffsetminutes", Function::none, 1, 1, Edm::integer, {Edm::moment}, Grammar::v4},
    {"totalseconds", Function::none, 1, 1, Edm::real, {Edm::duration}, Grammar::v4},
    {"now", Function::none, 0, 0, Edm::moment, {}, Grammar::v4},
    {"mindatetime", Function::none, 0, 0, Edm::moment, {}, Grammar::v4},
    {"maxdatetime", Function::none, 0, 0, Edm::moment, {}, Grammar::v4},
    {"geo.distance", Function::distance, 2, 2, Edm::real, {Edm::point, Edm::point}, Grammar::v4},
};

bool holds_replace(const store::Expr& tree) {
  if (tree.function == Function::replace) return true;
  for (const auto& arg : tree.args)
    if (holds_replace(*arg)) return true;
  return false;
}

}  // namespace

std::span<const FunctionInfo> functions() { return kFunctions; }

const FunctionInfo* find_function(std::string_view name, Grammar grammar) {
  for (const FunctionInfo& info : kFunctions)
    if (info.name == name) return info.since <= grammar ? &info : nullptr;
  return nullptr;
}

const FunctionInfo* info_of(const store::Expr& call) {
  if (!call.text.empty()) return find_function(call.text, Grammar::v4);
  for (const FunctionInfo& info : kFunctions)
    if (info.function == call.function && info.function != Function::none) return &info;
  return nullptr;
}

store::ExprPtr call_of(const FunctionInfo& info, std::vector<store::ExprPtr> args) {
  store::Expr out;
  out.op = store::Op::call;
  out.type = stored_as(info.result);
  out.function = info.function;
  out.text = info.name;
  out.args = std::move(args);
  return std::make_shared<const store::Expr>(std::move(out));
}

store::ExprPtr cast_of(store::ExprPtr what, std::string_view type) {
  store::Expr out;
  out.op = store::Op::call;
  out.text = type;
  out.args.push_back(std::move(what));
  return std::make_shared<const store::Expr>(std::move(out));
}

std::string_view cast_type(const store::Expr& call) {
  return call.function == Function::none && edm_named(call.text) ? std::string_view(call.text) : std::string_view();
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
