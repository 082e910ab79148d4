#include "tenant/codec/columns.h"

#include "base/url.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {
namespace {

constexpr std::size_t kMostColumns = 500, kMostValues = 1000, kMostIndexes = 32, kMostInAnIndex = 8, kLongestRule = 8192;
constexpr std::int64_t kMostLength = 1 << 20;

/// A relation is called as its column without the "Id" behind: listId → list.
std::string name_of_relation(const TableColumn& column) {
  for (const std::string_view ending : {"_id", "Id", "ID"})
    if (column.name.size() > ending.size() && column.name.ends_with(ending)) return column.name.substr(0, column.name.size() - ending.size());
  return {};
}

void read_values(ObjectReader& in, TableColumn& column) {
  in.texts("values", column.values, kMostValues);
  if (column.type != "enum") {
    if (!column.values.empty()) in.problem("values", "is for enums");
    return;
  }
  if (column.values.empty()) in.problem("values", "must list the values of the enum, in their order");
  std::set<std::string> lower;
  for (const std::string& value : column.values) {
    if (value.empty() || value.size() > 128) in.problem("values", "has a value that is empty or longer than 128 characters");
    if (!lower.insert(ascii_lower(value)).second) in.problem("values", "has '" + value.substr(0, 80) + "' twice, perhaps in another case");
  }
}

void read_relation(ObjectReader& in, TableColumn& column) {
  in.text("references", column.references, 64);
  in.text("as", column.as, 64);
  in.one_of("on_delete", column.on_delete, {"restrict", "set null", "cascade"});
  if (column.references.empty()) {
    if (in.has("as") || in.has("on_delete")) in.problem("references", "is missing: as and on_delete are for a column that refers to a table");
    return;
  }
  if (const std::string text = table_name_problem(column.references); !text.empty()) in.problem("references", "the name " + text);
  if (column.type != "string" && column.type != "integer") in.problem("references", "is for columns of type string or integer, as ids are");
  if (column.on_delete == "set null" && column.required) in.problem("on_delete", "cannot be 'set null': the column is required");
  if (column.as.empty()) column.as = name_of_relation(column);
  if (column.as.empty()) in.problem("as", "is missing: how the relation is called in $expand and in rules");
  else if (const std::string text = column_name_problem(column.as); !text.empty()) in.problem("as", text);
}

TableColumn read_column(const std::string& name, ObjectReader& parent) {
  TableColumn column;
  column.name = name;
  const Json* given = parent.any(name);
  if (given && given->is_string()) {
    parent.one_of(name, column.type, {"string", "number", "integer", "boolean", "datetime", "date", "time", "duration", "guid", "binary", "point", "json"});
    return column;
  }
  const JsonObject* body = parent.object(name);
  if (!body) return column;
  ObjectReader in(*body, parent.at(name), parent.problems());
  in.one_of("type", column.type,
            {"string", "number", "integer", "boolean", "datetime", "date", "time", "duration", "guid", "binary", "enum", "point", "json"});
  in.flag("required", column.required);
  in.flag("unique", column.unique);
  in.flag("index", column.index);
  if (const Json* usual = in.any("default")) column.usual = *usual;
  in.integer("max_length", column.max_length, 0, kMostLength);
  if (column.max_length && column.type != "string" && column.type != "binary") in.problem("max_length", "is for strings and binaries");
  if ((column.unique || column.index) && (column.type == "json" || column.type == "point")) in.problem("index", "a column of type " + column.type + " has no index");
  read_values(in, column);
  read_relation(in, column);
  in.finish();
  return column;
}

void check_names(ObjectReader& in, const Table& table) {
  std::set<std::string> lower, relations;
  for (const TableColumn& column : table.columns) {
    if (const std::string text = column_name_problem(column.name); !text.empty()) in.problem(column.name, text);
    if (!lower.insert(ascii_lower(column.name)).second) in.problem(column.name, "is there twice in another case");
    const bool owner = !table.user_id_column.empty() && iequals(column.name, table.user_id_column);
    if (owner && column.type != "string") in.problem(column.name, "holds the owner: its type is string");
  }
  for (const TableColumn& column : table.columns) {
    if (column.as.empty()) continue;
    if (lower.contains(ascii_lower(column.as))) in.problem(column.name, "its relation is called '" + column.as + "' as a column is; give it another name with 'as'");
    if (!relations.insert(ascii_lower(column.as)).second) in.problem(column.name, "another relation is called '" + column.as + "' too");
  }
}

void read_indexes(ObjectReader& in, std::string_view section, bool unique, Table& table) {
  const JsonArray* list = in.array(section);
  if (!list) return;
  if (list->size() > kMostIndexes) in.problem(section, "has more than " + std::to_string(kMostIndexes) + " entries");
  for (const Json& each : *list) {
    TableIndex index{{}, unique};
    std::set<std::string> lower;
    if (each.is_array())
      for (const Json& name : each.get_array())
        if (name.is_string()) index.columns.emplace_back(view(name.get_string()));
    if (!each.is_array() || index.columns.size() != each.get_array().size() || index.columns.empty() || index.columns.size() > kMostInAnIndex) {
      in.problem(section, "each entry is a list of 1 to " + std::to_string(kMostInAnIndex) + " columns: [[list, title]]");
      continue;
    }
    for (std::string& name : index.columns) {
      const TableColumn* column = table.column(name);
      const bool owner = !column && iequals(name, table.user_id_column);
      if (!column && !owner) in.problem(section, "'" + name.substr(0, 80) + "' is not among the columns");
      else if (column && (column->type == "json" || column->type == "point")) in.problem(section, "'" + name + "' has a type without index");
      if (!lower.insert(ascii_lower(name)).second) in.problem(section, "'" + name.substr(0, 80) + "' is there twice");
    }
    table.indexes.push_back(std::move(index));
  }
}

JsonObject write_column(const TableColumn& column) {
  JsonObject out{{"type", column.type}};
  put(out, "required", column.required, false);
  put(out, "unique", column.unique, false);
  put(out, "index", column.index, false);
  if (!column.usual.is_null()) out["default"] = column.usual;
  if (column.max_length) out["max_length"] = column.max_length;
  put(out, "values", column.values);
  if (column.references.empty()) return out;
  out["references"] = column.references;
  out["as"] = column.as;
  put(out, "on_delete", column.on_delete, "restrict");
  return out;
}

}  // namespace

void read_owner(ObjectReader& in, Table& table) {
  in.text("user_id_column", table.user_id_column, 64);
  bool per_user = !table.user_id_column.empty();
  in.flag("per_user", per_user);
  if (!per_user && !table.user_id_column.empty()) in.problem("per_user", "is false, but user_id_column names the owner's column");
  if (per_user && table.user_id_column.empty()) table.user_id_column = "userId";
  if (!table.user_id_column.empty())
    if (const std::string text = column_name_problem(table.user_id_column); !text.empty()) in.problem("user_id_column", text);
}

void read_columns(ObjectReader& parent, Table& table) {
  if (const JsonObject* group = parent.object("columns")) {
    ObjectReader in(*group, parent.at("columns"), parent.problems());
    if (group->size() > kMostColumns) parent.problem("columns", "are more than " + std::to_string(kMostColumns));
    for (const auto& [key, value] : *group) table.columns.push_back(read_column(std::string(key.data(), key.size()), in));
    check_names(in, table);
  }
  read_indexes(parent, "unique", true, table);
  read_indexes(parent, "indexes", false, table);
  if (const JsonObject* group = parent.object("rules")) {
    ObjectReader in(*group, parent.at("rules"), parent.problems());
    in.text("read", table.rules.read, kLongestRule);
    in.text("insert", table.rules.insert, kLongestRule);
    in.text("update", table.rules.update, kLongestRule);
    in.text("delete", table.rules.remove, kLongestRule);
    in.text("check", table.rules.check, kLongestRule);
    in.finish();
  }
}

void write_columns(JsonObject& out, const Table& table) {
  JsonObject columns;
  for (const TableColumn& column : table.columns) {
    JsonObject written = write_column(column);
    if (written.size() == 1) columns[column.name] = column.type;
    else columns[column.name] = std::move(written);
  }
  if (!columns.empty()) out["columns"] = std::move(columns);
  JsonArray unique, indexes;
  for (const TableIndex& index : table.indexes) {
    JsonArray names;
    for (const std::string& name : index.columns) names.emplace_back(name);
    (index.unique ? unique : indexes).emplace_back(std::move(names));
  }
  if (!unique.empty()) out["unique"] = std::move(unique);
  if (!indexes.empty()) out["indexes"] = std::move(indexes);
  JsonObject rules;
  put(rules, "read", table.rules.read);
  put(rules, "insert", table.rules.insert);
  put(rules, "update", table.rules.update);
  put(rules, "delete", table.rules.remove);
  put(rules, "check", table.rules.check);
  if (!rules.empty()) out["rules"] = std::move(rules);
}

}  // namespace mandate::tenant
