// $expand: the row that a relation leads to, within the row that has it. One statement for a page and relation, not one for each row.
#pragma once

#include "tables/core.h"

namespace mandate::tables {

/// One relation of a read.
struct Expansion {
  const Relation* relation = nullptr;  ///< lives in the schema
  std::size_t source = 0;              ///< where a row has the id it leads to
  std::vector<store::Value> ids = {};  ///< of each row, in their order
};

/// bad_request: a name that is no relation, or is there twice, or whose table has a script or hooks around its reads, which would
/// not be asked here (an administrator sees such rows as they are stored). `projection` gets what the rows must be read with.
Result<std::vector<Expansion>> expansions_of(const OperationContext& context, const Schema& schema, const std::vector<std::string>& names, Projection& projection);

/// Writes the members into `json`, the rows as text; `ends` are the places of their closing braces. A row that is not there, deleted
/// or not the caller's to read is null. unauthorized when the caller may not read the other table at all.
Task<void> expand(Tables::Impl& impl, OperationContext context, std::vector<Expansion> expansions, std::string& json, std::vector<std::size_t> ends);

}  // namespace mandate::tables
