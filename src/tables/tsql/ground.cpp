#include "tables/tsql/ground.h"

#include "base/url.h"
#include "tables/declared.h"

namespace mandate::tables::tsql {
namespace {

using Role = TableInfo::Role;

/// What the store has of a column, as SQL sees it.
Value seen(const TableInfo::Column& column, const store::Value& value) {
  if (store::is_null(value)) return Value();
  if (column.meaning && column.opaque()) return Value(odata::write_as(*column.meaning, value));
  if (const auto* bit = std::get_if<bool>(&value)) return Value(*bit);
  if (const auto* real = std::get_if<double>(&value)) return Value(*real);
  if (const auto* text = std::get_if<std::string>(&value)) return Value(*text);
  const auto* whole = std::get_if<std::int64_t>(&value);
  if (!whole) return Value();
  switch (column.type) {
    case Type::date: return Value(Moment{*whole});
    case Type::bit: return Value(*whole != 0);
    case Type::real: return Value(static_cast<double>(*whole));
    default: return Value(*whole);
  }
}

/// A value as a client would send it.
Json wire_of(const TableInfo::Column& column, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (!column.json && !(column.meaning && column.meaning->edm == odata::Edm::point)) return Json(*text);
    Result<Json> parsed = parse_json(*text);
    return parsed.ok() ? *std::move(parsed) : Json(*text);
  }
  if (const auto* bit = std::get_if<bool>(&value)) return Json(*bit);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return Json(*whole);
  if (const auto* real = std::get_if<double>(&value)) return Json(*real);
  if (const auto* moment = std::get_if<Moment>(&value)) return Json(iso8601(moment->ms));
  return nullptr;
}

}  // namespace

Ground ground_of(const tenant::Table& table, Catalogue::SchemaPtr kept) {
  const Schema& schema = *kept;
  auto out = std::make_shared<TableInfo>();
  out->name = table.name;
  out->physical = schema.physical;
  out->integer_id = schema.integer_id;
  const auto type_of_column = [](store::Type type) {
    switch (type) {
      case store::Type::boolean: return Type::bit;
      case store::Type::integer: return Type::integer;
      case store::Type::real: return Type::real;
      case store::Type::date: return Type::date;
      default: return Type::text;
    }
  };
  const auto ours = [](std::string_view name) { return name == system_column::kCreated || name == system_column::kUpdated || name == system_column::kDeleted; };
  for (const store::ColumnSpec& column : schema.columns) {
    if (ours(column.name)) continue;
    const bool id = column.name == system_column::kId;
    auto& made = out->columns.emplace_back(TableInfo::Column{column.name, column.name, type_of_column(column.type), id ? Role::id : Role::own});
    made.json = column.type == store::Type::json;
    made.exact = id || iequals(column.name, table.user_id_column);
    if (const auto meaning = schema.meanings.find(ascii_lower(column.name)); meaning != schema.meanings.end() && meaning->second && odata::plain(column.type) != meaning->second->edm) {
      made.meaning = meaning->second;
      if (made.meaning->edm != odata::Edm::date) made.type = Type::text, made.json = false;
    }
  }
  const bool shown = !schema.integer_id;
  out->columns.push_back({"__createdAt", std::string(system_column::kCreated), Type::date, Role::created, false, shown});
  out->columns.push_back({"__updatedAt", std::string(system_column::kUpdated), Type::date, Role::updated, false, shown});
  out->columns.push_back({"__version", std::string(system_column::kUpdated), Type::text, Role::version, false, shown});
  out->columns.push_back({"__deleted", std::string(system_column::kDeleted), Type::bit, Role::deleted, false, shown && table.soft_delete});
  return {&table, std::move(kept), std::move(out)};
}

Value value_in(const store::RowView& row, std::size_t place, const TableInfo::Column& column) {
  if (row.null(place)) return Value();
  if (column.role == Role::version) return Value(wire_version(row.integer(place)));
  if (column.meaning && column.opaque()) return Value(odata::write_as(*column.meaning, row.value(place)));
  switch (column.type) {
    case Type::bit: return Value(row.integer(place) != 0);
    case Type::integer: return Value(row.integer(place));
    case Type::real: return Value(row.real(place));
    case Type::date: return Value(Moment{row.integer(place)});
    default: return Value(std::string(row.text(place)));
  }
}

Json json_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return Json(*text);
  if (const auto* bit = std::get_if<bool>(&value)) return Json(*bit);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return Json(*whole);
  if (const auto* real = std::get_if<double>(&value)) return Json(*real);
  if (const auto* moment = std::get_if<Moment>(&value)) return JsonArray{moment->ms};
  return nullptr;
}

Result<Value> fitted(const Ground& ground, std::size_t slot, Value value) {
  const TableInfo::Column& column = ground.info->columns[slot];
  const Declared* declared = column.role == Role::own ? ground.schema->declaration(column.name) : nullptr;
  if (!column.meaning || !column.opaque()) {
    TRY(value, convert(std::move(value), column.type));
  }
  store::Value kept;
  if (declared) {
    TRY(kept, value_of(*declared, column.name, wire_of(column, value)));
  } else {
    TRY(kept, stored(column, value));
  }
  return seen(column, kept);
}

Result<void> completed(const Ground& ground, const std::vector<std::size_t>& named, Row& row) {
  const TableInfo& table = *ground.info;
  std::vector<store::Cell> cells;
  for (const std::size_t slot : named)
    if (table.columns[slot].role == Role::own) cells.push_back({table.columns[slot].store, store::Value()});
  const std::size_t known = cells.size();
  CHECK_OK(complete(*ground.schema, ground.table->user_id_column, cells));
  for (std::size_t i = known; i < cells.size(); ++i)
    for (std::size_t slot = 0; slot < table.columns.size(); ++slot)
      if (table.columns[slot].store == cells[i].column) row[slot] = seen(table.columns[slot], cells[i].value);
  return {};
}

}  // namespace mandate::tables::tsql
