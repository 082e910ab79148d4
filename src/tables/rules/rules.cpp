#include "tables/rules/rules.h"

#include "tables/rules/bind.h"
#include "tables/shape.h"

namespace mandate::tables::rules {
namespace {

store::ExprPtr nothing() {
  return store::make(store::Op::eq, {store::literal(std::int64_t(1)), store::literal(std::int64_t(0))});
}

store::ExprPtr bound(const NodePtr& rule, const Scene& scene, std::string& denied) {
  if (!rule) return nullptr;
  auto out = bind(*rule, scene);
  if (out.ok()) return *std::move(out);
  denied = out.error().hint;
  return nothing();
}

const tenant::Table* table_named(const tenant::Service& service, std::string_view name) { return service.table(name); }

void check_relation(const tenant::Service& service, const tenant::Table& table, const tenant::TableColumn& column, std::vector<Problem>& out) {
  const tenant::Table* target = table_named(service, column.references);
  const std::string path = "columns." + column.name + ".references";
  if (!target) return out.push_back({table.name, path, "there is no table '" + column.references + "' in the service"});
  const std::string_view wanted = target->integer_id ? "integer" : "string";
  if (column.type != wanted) out.push_back({table.name, path, "ids of '" + target->name + "' are of type " + std::string(wanted) + ", the column is not"});
}

void check_rule(const Schema& schema, const tenant::Table& table, std::string_view name, const std::string& text, State state, std::vector<Problem>& out) {
  if (text.empty()) return;
  const std::string path = "rules." + std::string(name);
  const auto rule = parse(text);
  if (!rule.ok()) return out.push_back({table.name, path, rule.error().hint});
  const auto done = bind(**rule, Scene{schema, state});
  if (!done.ok()) out.push_back({table.name, path, done.error().hint});
}

}  // namespace

std::shared_ptr<const Rules> read_rules(const tenant::TableRules& texts) {
  if (!texts.any()) return nullptr;
  auto out = std::make_shared<Rules>();
  const auto read = [&](const std::string& text) -> NodePtr {
    if (text.empty()) return nullptr;
    auto rule = parse(text);
    out->broken = out->broken || !rule.ok();
    return rule.ok() ? *std::move(rule) : nullptr;
  };
  out->read = read(texts.read);
  out->insert = read(texts.insert);
  out->update = read(texts.update);
  out->remove = read(texts.remove);
  out->check = read(texts.check);
  return out;
}

Conditions conditions_of(const Schema& schema, Operation operation, const identity::Principal& user, Millis now,
                         const std::vector<store::Cell>* item, std::string& denied) {
  Conditions out;
  if (!schema.rules || user.level == identity::Level::admin) return out;
  const Rules& rules = *schema.rules;
  if (rules.broken) {
    denied = "a rule does not parse";
    out.visible = out.touch = out.after = nothing();
    return out;
  }
  const Scene as_it_is{schema, State::as_it_is, &user, now}, written{schema, State::written, &user, now};
  out.visible = bound(rules.read, as_it_is, denied);
  switch (operation) {
    case Operation::read: break;
    case Operation::insert: out.after = store::both(bound(rules.insert, written, denied), bound(rules.check, written, denied)); break;
    case Operation::update:
    case Operation::undelete: {
      static const std::vector<store::Cell> kNothingSent;
      const bool known = item || operation == Operation::undelete;
      if (known) out.touch = bound(rules.update, Scene{schema, State::changing, &user, now, item ? item : &kNothingSent}, denied);
      out.after = bound(rules.check, written, denied);
      break;
    }
    case Operation::remove: out.touch = bound(rules.remove, as_it_is, denied); break;
  }
  return out;
}

std::vector<Problem> problems_of(const tenant::Service& service) {
  std::vector<Problem> out;
  for (const auto& [lower, table] : service.tables) {
    for (const tenant::TableColumn& column : table.columns) {
      if (const auto declared = declare(column); !declared.ok()) out.push_back({table.name, "columns." + column.name + ".default", declared.error().hint});
      if (!column.references.empty()) check_relation(service, table, column, out);
    }
    if (!table.rules.any()) continue;
    const auto schema = expected_schema(service, table);
    check_rule(*schema, table, "read", table.rules.read, State::as_it_is, out);
    check_rule(*schema, table, "insert", table.rules.insert, State::written, out);
    check_rule(*schema, table, "update", table.rules.update, State::changing, out);
    check_rule(*schema, table, "delete", table.rules.remove, State::as_it_is, out);
    check_rule(*schema, table, "check", table.rules.check, State::written, out);
  }
  return out;
}

}  // namespace mandate::tables::rules
