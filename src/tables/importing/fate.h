// What becomes of a row that comes: judged by what is there and by what the file says, in one place.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include "tables/core.h"
#include "tables/importing/cells.h"

namespace mandate::tables::importing {

/// A row that this import wrote before.
struct Written {
  Millis stamp = 0;             ///< that it has here
  std::optional<Millis> said;   ///< its time in the file
};

/// What the steps of one import share.
struct Work {
  Tables::Impl& impl;
  OperationContext context;
  Import import;
  Millis now = 0;
  Catalogue::SchemaPtr schema;
  std::set<std::string> repeated;          ///< ids that come more than once
  std::map<std::string, Written> written;  ///< of those
  Imported done;
};

/// What is there of a row.
struct There {
  Millis stamp = 0;
  bool same = false;  ///< in all that the file has, but for updatedAt
};
/// By id. Of an id that comes twice the first is compared.
using Found = std::map<std::string, There>;
Task<Found> look(const Work& work, std::span<const Ready> rows);

enum class Fate { insert, update, same, keep };
/// `there` is null when no row has the id.
Fate fate_of(const Work& work, const Ready& row, const There* there);

/// The time that the row keeps when it is written; nullopt: it gets a stamp. A time that is not later than what is there would be
/// the version of two states, and one of the last minute may be behind what pulls of another node have passed.
std::optional<Millis> time_kept(const Work& work, const Ready& row, const There* there);

/// bad_request: a required column, or the owner's, without a value.
Result<store::Mutation> addition(const Work& work, const Ready& row);
/// The row as it was seen, or nothing is touched. bad_request: the owner would be taken off.
Result<store::Mutation> change(const Work& work, const Ready& row, const There& there);

std::string text_of(const store::Value& id);

}  // namespace mandate::tables::importing
