#include "tables/odata/to_plan.h"

#include "tables/odata/typing.h"

namespace mandate::tables::odata {
namespace {

using store::Expr;
using store::ExprPtr;

bool always_true(const ExprPtr& expr) {
  const auto* value = std::get_if<bool>(&expr->value);
  return expr->op == store::Op::literal && value && *value;
}

store::Order by_id(const Schema& schema) {
  return {store::column(std::string(system_column::kId), schema.integer_id ? store::Type::integer : store::Type::text), false};
}

}  // namespace

Result<ExprPtr> to_condition(const Tree& filter, const Setting& setting, bool& empty) {
  if (!filter) return ExprPtr();
  Typing typing(setting);
  TRY(ExprPtr condition, typing.condition(filter));
  empty = empty || typing.unknown_column();
  if (always_true(condition)) return ExprPtr();
  return condition;
}

Result<ExprPtr> to_condition(const Tree& filter, const Schema& schema, Dialect dialect, bool dynamic_schema, bool& empty) {
  return to_condition(filter, Setting{schema, dialect, dynamic_schema}, empty);
}

Result<Planned> to_plan(const Query& query, const Setting& setting, std::optional<std::int64_t> default_top) {
  Planned out;
  out.plan.table = setting.schema.physical;
  TRY(out.plan.where, to_condition(query.filter, setting, out.empty));
  bool decided = false;
  for (const Ordering& ordering : query.order) {
    Typing typing(setting);
    TRY(Typed by, typing.value(ordering.by));
    out.empty = out.empty || typing.unknown_column();
    if (by.is_literal() || decided) continue;
    if ((by.edm == Edm::text || by.edm == Edm::guid) && by.role != Role::id) {
      auto copy = std::make_shared<Expr>(*by.expr);
      copy->dictionary = true;
      by.expr = std::move(copy);
    }
    decided = by.expr->op == store::Op::column && by.role == Role::id;  // no further key changes anything
    out.plan.order.push_back({std::move(by.expr), ordering.descending});
  }
  if (!decided) out.plan.order.push_back(by_id(setting.schema));
  for (const std::string& name : query.select) {
    if (setting.schema.resolve(setting.dialect, name)) continue;
    if (!setting.dynamic_schema || is_datasync(setting.dialect)) return Error(Code::bad_request, "Invalid column name '" + name + "'.");
    out.empty = true;
  }
  for (const std::string& name : query.expand)
    if (!setting.schema.relation(name)) return Error(Code::bad_request, "There is no relation '" + name + "' to expand.");
  out.plan.limit = query.top ? query.top : default_top;
  out.plan.offset = query.skip;
  out.plan.count = query.total;
  return out;
}

Result<Planned> to_plan(const Query& query, const Schema& schema, Dialect dialect, bool dynamic_schema,
                        std::optional<std::int64_t> default_top) {
  return to_plan(query, Setting{schema, dialect, dynamic_schema}, default_top);
}

}  // namespace mandate::tables::odata
