// Between a table of the catalogue and what SQL sees of it. Inside the room only.
#pragma once

#include "tables/catalogue.h"
#include "tables/tsql/session.h"

namespace mandate::tables::tsql {

/// A table with what stands behind it.
struct Ground {
  const tenant::Table* table = nullptr;
  Catalogue::SchemaPtr schema;
  TablePtr info;
};
Ground ground_of(const tenant::Table& table, Catalogue::SchemaPtr schema);

/// A cell that was read.
Value value_in(const store::RowView& row, std::size_t place, const TableInfo::Column& column);
/// A cell of a result: a date is an array of its milliseconds.
Json json_of(const Value& value);

/// The value as its column has it from now on; what is declared of the column holds as at every other door. bad_request.
Result<Value> fitted(const Ground& ground, std::size_t slot, Value value);
/// Puts in the defaults of a new row whose statement names the slots `named`; bad_request for a required column among the others.
Result<void> completed(const Ground& ground, const std::vector<std::size_t>& named, Row& row);

}  // namespace mandate::tables::tsql
