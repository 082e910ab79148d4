// What the configuration of a table asks of the store, and the schema that comes of both. Pure functions.
#pragma once

#include "tables/declared.h"
#include "tables/schema.h"
#include "tenant/tenant.h"

namespace mandate::tables {

/// Ours and the declared ones.
std::vector<store::ColumnSpec> columns_of(const tenant::Table& table);
/// Those of the configuration: unique columns (per owner, in a per-user table), looked-up columns, columns of relations.
std::vector<store::IndexSpec> indexes_of(const tenant::Table& table);
std::vector<Unique> uniques_of(const tenant::Table& table);

/// The schema of a table whose columns are `columns`, without relations. A declaration whose column was made with another type
/// says nothing; see differing().
std::shared_ptr<Schema> make_schema(const tenant::Table& table, std::string physical, std::vector<store::ColumnSpec> columns);
/// The relations of `table`; `target` gives the columns of another table.
void add_relations(Schema& schema, const tenant::Service& service, const tenant::Table& table,
                   const std::map<std::string, std::shared_ptr<const Schema>, std::less<>>& targets);

/// The schema of a table that was made as it is declared, for checks before there is one.
std::shared_ptr<const Schema> expected_schema(const tenant::Service& service, const tenant::Table& table);

/// "due is a string there, not a date": declared columns that the table has with another type. Empty when all fit.
std::string differing(const tenant::Table& table, const std::vector<store::ColumnSpec>& columns);

}  // namespace mandate::tables
