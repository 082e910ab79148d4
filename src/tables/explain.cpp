// Why somebody sees, or may change, a row, and why not: the levels, the owner, the rules, and what they say of one row.
#include "tables/app_acts.h"
#include "tables/core.h"
#include "tables/ids.h"
#include "tables/permissions.h"
#include "tables/rules/bind.h"
#include "tables/rules/rules.h"

namespace mandate::tables {
namespace {

std::string_view word(Permission permission) {
  switch (permission) {
    case Permission::everyone: return "public";
    case Permission::application: return "application";
    case Permission::user: return "authenticated";
    case Permission::admin: return "admin";
    case Permission::nobody: return "disabled";
  }
  return "";
}

/// {"rule","text","tree","condition" or "denied"}
JsonObject explained(std::string_view name, const rules::NodePtr& rule, const rules::Scene& scene) {
  JsonObject out{{"rule", name}, {"text", rules::to_text(*rule)}, {"tree", rules::outline(*rule)}};
  const auto condition = rules::bind(*rule, scene);
  if (condition.ok()) out["condition"] = rules::describe(**condition);
  else out["denied"] = condition.error().hint;
  return out;
}

JsonArray rules_of(const Schema& schema, Operation operation, const identity::Principal& user, Millis now) {
  JsonArray out;
  if (!schema.rules || user.level == identity::Level::admin) return out;
  static const std::vector<store::Cell> kNothingSent;
  const rules::Scene as_it_is{schema, rules::State::as_it_is, &user, now}, written{schema, rules::State::written, &user, now};
  const rules::Scene changing{schema, rules::State::changing, &user, now, &kNothingSent};
  const auto add = [&](std::string_view name, const rules::NodePtr& rule, const rules::Scene& scene) {
    if (rule) out.push_back(explained(name, rule, scene));
  };
  const rules::Rules& all = *schema.rules;
  if (operation != Operation::insert) add("read", all.read, as_it_is);
  if (operation == Operation::insert) add("insert", all.insert, written);
  if (operation == Operation::update || operation == Operation::undelete) add("update", all.update, changing);
  if (operation == Operation::remove) add("delete", all.remove, as_it_is);
  if (operation == Operation::insert || operation == Operation::update) add("check", all.check, written);
  return out;
}

}  // namespace

Task<JsonObject> Tables::explain(OperationContext context, Operation operation, std::string id) {
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(const Catalogue::SchemaPtr schema, co_await look);
  identity::KeysShown keys;
  keys.application = context.application_key;
  const bool level = check_permission(*context.table, operation, keys, context.principal).ok();
  JsonObject out{{"table", context.table->name}, {"operation", name(operation)}};
  out["user"] = context.principal.user_id.empty() ? Json(nullptr) : Json(context.principal.user_id);
  out["permission"] = JsonObject{{"needs", word(permission_for(context.table->permissions, operation))}, {"given", level}};
  const auto owner = owner_of(context);
  out["owner"] = nullptr;
  if (!owner.ok()) out["owner"] = JsonObject{{"column", context.table->user_id_column}, {"denied", "a table of users, and there is none"}};
  else if (*owner) out["owner"] = JsonObject{{"column", (*owner)->column}, {"value", std::get<std::string>((*owner)->value)}};
  const Millis now = impl_->clock.now_ms();
  out["rules"] = rules_of(*schema, operation, context.principal, now);
  if (schema->rules && schema->rules->broken) out["broken"] = "a rule does not parse: nothing exists for anybody but administrators";
  const bool off = permission_for(context.table->permissions, operation) == Permission::nobody;
  std::string verdict = !is_served(*context.service, *context.table) ? std::string("refused (404): ") + (context.service->code.app.empty() ? "an app had this table, and the folder that runs does not name it" : "the service's app does not have this table") : off ? "refused (405)" : level && owner.ok() ? "allowed" : "refused (401)";
  if (!id.empty() && owner.ok()) {
    static const std::vector<store::Cell> kNothingSent;
    CO_TRY(store::Value key, id_of_url(*schema, id));
    CO_TRY(const Reach reach, reach_of(*impl_, context, *schema, operation, &kNothingSent));
    const auto holds = [&](store::ExprPtr more, bool owned) {
      store::Plan plan;
      plan.table = schema->physical;
      plan.select = {std::string(system_column::kId), std::string(system_column::kDeleted)};
      plan.where = store::both(store::equals(std::string(system_column::kId), key), std::move(more));
      if (owned) plan.owner = reach.owner;
      return context.here.store->get(std::move(plan));
    };
    Task<std::optional<store::Row>> any = holds(nullptr, false);
    CO_TRY(const std::optional<store::Row> there, co_await any);
    Task<std::optional<store::Row>> mine = holds(nullptr, true);
    CO_TRY(const std::optional<store::Row> owned, co_await mine);
    Task<std::optional<store::Row>> seen = holds(reach.visible, true);
    CO_TRY(const std::optional<store::Row> visible, co_await seen);
    Task<std::optional<store::Row>> touched = holds(store::both(reach.visible, store::both(reach.touch, reach.after)), true);
    CO_TRY(const std::optional<store::Row> allowed, co_await touched);
    JsonObject row{{"id", id}, {"exists", there.has_value()}, {"owned", owned.has_value()}, {"visible", visible.has_value()}, {"allowed", allowed.has_value()}};
    row["deleted"] = schema->soft_delete && there && there->boolean(system_column::kDeleted);
    out["row"] = std::move(row);
    if (level && !visible && operation != Operation::insert) verdict = "refused (404)";
    else if (level && !allowed) verdict = "refused (403)";
  }
  out["verdict"] = verdict;
  co_return std::move(out);
}

}  // namespace mandate::tables
