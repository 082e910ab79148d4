#include "tables/shape.h"

#include "base/url.h"
#include "tables/rules/rules.h"

namespace mandate::tables {
namespace {

bool has(const std::vector<store::ColumnSpec>& columns, std::string_view name) {
  return std::ranges::any_of(columns, [&](const store::ColumnSpec& each) { return iequals(each.name, name); });
}

bool in_dictionary_order(const tenant::Table& table, std::string_view name) {
  const tenant::TableColumn* column = table.column(name);
  return column && (column->type == "string" || column->type == "guid");
}

/// Whether the configuration says that the column is looked up by, or unique.
bool is_indexed(const tenant::Table& table, const tenant::TableColumn& column) {
  if (column.index || column.unique) return true;
  return std::ranges::any_of(table.indexes, [&](const tenant::TableIndex& index) {
    return std::ranges::any_of(index.columns, [&](const std::string& name) { return iequals(name, column.name); });
  });
}

/// What is unique in a per-user table is so among the rows of one owner.
std::vector<std::string> with_owner(const tenant::Table& table, std::vector<std::string> columns) {
  const bool there = std::ranges::any_of(columns, [&](const std::string& each) { return iequals(each, table.user_id_column); });
  if (!table.user_id_column.empty() && !there) columns.insert(columns.begin(), table.user_id_column);
  return columns;
}

std::string_view word_of(store::Type type) {
  switch (type) {
    case store::Type::integer: return "a whole number";
    case store::Type::date: return "a date";
    case store::Type::json: return "JSON";
    default: return odata::word(odata::plain(type));
  }
}

}  // namespace

std::vector<store::ColumnSpec> columns_of(const tenant::Table& table) {
  std::vector<store::ColumnSpec> out;
  out.push_back({std::string(system_column::kId), table.integer_id ? store::Type::integer : store::Type::text, true, false});
  out.push_back({std::string(system_column::kCreated), store::Type::date, false, false});
  out.push_back({std::string(system_column::kUpdated), store::Type::date, false, true});
  out.push_back({std::string(system_column::kDeleted), store::Type::boolean, false, false});
  for (const tenant::TableColumn& column : table.columns)
    if (!has(out, column.name)) out.push_back({column.name, declared_type(column.type).value_or(store::Type::text), false, false});
  if (!table.user_id_column.empty() && !has(out, table.user_id_column))
    out.push_back({table.user_id_column, store::Type::text, false, true});
  return out;
}

std::vector<Unique> uniques_of(const tenant::Table& table) {
  std::vector<Unique> out;
  for (const tenant::TableColumn& column : table.columns)
    if (column.unique) out.push_back({{column.name}, !table.user_id_column.empty()});
  for (const tenant::TableIndex& index : table.indexes)
    if (index.unique) out.push_back({index.columns, !table.user_id_column.empty()});
  return out;
}

std::vector<store::IndexSpec> indexes_of(const tenant::Table& table) {
  std::vector<store::IndexSpec> out;
  // A person's pull reads his own rows in the order of their stamps.
  if (!table.user_id_column.empty())
    out.push_back({{table.user_id_column, std::string(system_column::kUpdated), std::string(system_column::kId)}, false, {}});
  for (const Unique& unique : uniques_of(table)) out.push_back({with_owner(table, unique.columns), true, {}});
  const auto add = [&](const std::vector<std::string>& columns) {
    store::IndexSpec spec{columns, false, {}};
    for (const std::string& name : columns) spec.dictionary.push_back(in_dictionary_order(table, name));
    out.push_back(std::move(spec));
  };
  for (const tenant::TableColumn& column : table.columns) {
    if (column.index) add({column.name});
    if (!column.references.empty()) out.push_back({{column.name}, false, {}});  // found by id, byte for byte
  }
  for (const tenant::TableIndex& index : table.indexes)
    if (!index.unique) add(index.columns);
  return out;
}

std::shared_ptr<Schema> make_schema(const tenant::Table& table, std::string physical, std::vector<store::ColumnSpec> columns) {
  auto schema = std::make_shared<Schema>();
  schema->physical = std::move(physical);
  schema->columns = std::move(columns);
  schema->soft_delete = table.soft_delete;
  schema->owner_column = table.user_id_column;
  schema->rules = rules::read_rules(table.rules);
  schema->uniques = uniques_of(table);
  for (const store::ColumnSpec& column : schema->columns)
    if (column.name == system_column::kId) schema->integer_id = column.type == store::Type::integer;
  for (const tenant::TableColumn& column : table.columns) {
    Result<Declared> declared = declare(column);
    if (!declared.ok()) {
      // Refused where the configuration is applied; a row is better off without a default than not written at all.
      tenant::TableColumn bare = column;
      bare.usual = nullptr;
      declared = declare(bare);
    }
    const store::ColumnSpec* there = schema->own(column.name);
    if (!declared.ok() || (there && there->type != odata::stored_as(declared->edm))) continue;
    declared->indexed = is_indexed(table, column);
    const std::string lower = ascii_lower(column.name);
    if (declared->meaning) schema->meanings[lower] = declared->meaning;
    schema->declared.emplace(lower, *std::move(declared));
  }
  return schema;
}

void add_relations(Schema& schema, const tenant::Service& service, const tenant::Table& table,
                   const std::map<std::string, std::shared_ptr<const Schema>, std::less<>>& targets) {
  for (const tenant::TableColumn& column : table.columns) {
    if (column.references.empty()) continue;
    const auto target = targets.find(ascii_lower(column.references));
    if (target == targets.end()) continue;
    schema.relations.push_back({column.as, column.name, ascii_lower(column.references), target->second});
  }
  for (const auto& [lower, other] : service.tables)
    for (const tenant::TableColumn& column : other.columns)
      if (iequals(column.references, table.name)) schema.referred = true;
}

std::shared_ptr<const Schema> expected_schema(const tenant::Service& service, const tenant::Table& table) {
  std::map<std::string, std::shared_ptr<const Schema>, std::less<>> targets;
  for (const tenant::TableColumn& column : table.columns)
    if (const tenant::Table* target = column.references.empty() ? nullptr : service.table(column.references))
      targets[ascii_lower(column.references)] = make_schema(*target, physical_name(service.name, target->name), columns_of(*target));
  auto out = make_schema(table, physical_name(service.name, table.name), columns_of(table));
  add_relations(*out, service, table, targets);
  return out;
}

std::string differing(const tenant::Table& table, const std::vector<store::ColumnSpec>& columns) {
  std::string out;
  for (const tenant::TableColumn& column : table.columns)
    for (const store::ColumnSpec& there : columns)
      if (iequals(there.name, column.name) && there.type != declared_type(column.type))
        out += (out.empty() ? "" : "; ") + column.name + " is " + std::string(word_of(there.type)) + " in the table as it is, not " + column.type;
  return out;
}

}  // namespace mandate::tables
