// Rows of elsewhere become rows of a table: with their ids, their versions and their times, past scripts, levels and rules.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "tables/operations.h"

namespace mandate::tables::importing {

/// One row as a file has it. `line` is where a person finds it there.
struct Row {
  std::int64_t line = 0;
  JsonObject item;
};

/// Some rows, and what is to become of them.
struct Import {
  std::vector<Row> rows;
  std::map<std::string, std::string, std::less<>> types;  ///< name in lower case → type, for columns that the table lacks
  bool texts = false;     ///< the file knows only text: "1" may be a truth, a JSON column is written out
  bool replace = false;   ///< over rows that may have been changed here after the file's state, too
  bool restamp = false;   ///< updatedAt becomes the moment of the import, so that every client hears of the row; the file's still judges
  bool new_ids = false;   ///< a row without an id gets one
  bool skip_bad = false;  ///< goes on behind a row that cannot be taken
  bool dry_run = false;   ///< says what would happen; what only the store knows (unique values) is not looked at
};

struct Fault {
  std::int64_t line = 0;
  std::string why;  ///< for people; a sentence
};

struct Imported {
  std::int64_t inserted = 0, updated = 0;
  std::int64_t kept = 0;             ///< rows that are newer here, or may be, left alone
  std::int64_t same = 0;             ///< rows that are here as the file has them
  std::vector<Fault> faults;         ///< in the order of the rows
  bool stopped = false;              ///< nothing behind the first fault was taken
  /// What ended it when some rows were written already: those before `failed_line` are in, of the others nobody knows.
  std::optional<Error> failure;
  std::int64_t failed_line = 0;
  std::vector<std::string> columns;  ///< made for it
};

inline constexpr std::size_t kMostRows = 1000;  ///< of one Import

/// The rows are fitted as an insert fits them (declared types, defaults, required, unique) and written as they say, some hundred in
/// one transaction. A row that is there (same id) gets the columns that the file has and keeps the others. It stays as it is, unless
/// `replace`, when its updatedAt is later here than in the file, and when the file has none: then nobody knows who is newer. Of rows
/// with one id in the same import the later one wins. A row that is written with no later time than it had, whose time is less than
/// a minute ago, or of which `restamp` wants it, is stamped with now, as every change is that others must hear of. A row changed by somebody in
/// this very moment is judged anew. Without `skip_bad` every row before the first fault is in, and none behind it. Rows that are
/// referred to are not looked for: tables may come in any order.
///
/// Columns that the table lacks are made where it may grow. The version of a row that keeps its time is remembered
/// (versions.h). Runs on any loop. Errors: invalid_request (names and types of columns; more than kMostRows), those of the store; none once
/// a row is written, see Imported::failure.
Task<Imported> import_rows(Tables& tables, OperationContext context, Import import);

}  // namespace mandate::tables::importing
