// A file of rows, whatever its form: CSV, bcp's character form, JSON lines, a SQLite file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "import/csv.h"

namespace mandate::cli {

struct RowsOptions {
  std::string format;         ///< csv, bcp, jsonl, sqlite; empty = told by the file
  std::string delimiter;      ///< one character, or "tab"; empty = told by the header (bcp: a tab)
  std::string header;         ///< names of the columns, by commas, of a file without them
  std::string null_word;      ///< an unquoted field of just that is nothing, beside the empty one
  std::string source_table;   ///< SQLite: the table's name there
  std::map<std::string, std::string> renamed;  ///< name there in lower case → name here
  std::vector<std::string> left_out;           ///< names there, in any case
  std::map<std::string, std::string> types;    ///< name here in lower case → type, over what is guessed
};

struct FileRow {
  std::int64_t line = 0;  ///< SQLite: which row it is, from 1
  JsonObject item;
};

/// Reads with the memory of one row. Blocking.
class RowFile {
 public:
  virtual ~RowFile() = default;
  /// False at the end. bad_request with a hint for people, its place in it: "line 7: …".
  virtual Result<bool> next(FileRow& row) = 0;
  /// Whether cells are text whose types the file does not tell.
  virtual bool texts() const { return false; }
  /// Types of columns by name in lower case, as far as the file or a look at all of it tells. A server that has the column knows better.
  const std::map<std::string, std::string>& types() const { return types_; }
  /// How much of `size` has been read, in one unit; 0 of 0 when nobody knows.
  virtual std::uint64_t done() const { return 0; }
  virtual std::uint64_t size() const { return 0; }

 protected:
  std::map<std::string, std::string> types_;
};

/// Finds out what the file is. Text files without types are read twice: once to guess what their columns hold, which also finds what
/// is wrong with them before anything is written. bad_request: no such file, a form that cannot be read (the hint says what to do).
Result<std::unique_ptr<RowFile>> open_rows(const std::string& path, const RowsOptions& options);

/// Names of the file's columns as they are to be here; empty = left out. bad_request: a name twice, an empty one.
Result<std::vector<std::string>> names_of(const std::vector<std::string>& there, const RowsOptions& options);

/// bad_request: a column to rename or to leave out that the file does not have; a slip there would bring what was not wanted.
Result<void> check_named(const std::vector<std::string>& there, const RowsOptions& options);

/// CSV and bcp over any bytes. `names`: those of options.header, else the first record's. Types as in options only.
Result<std::unique_ptr<RowFile>> read_csv_rows(std::unique_ptr<Bytes> from, CsvShape shape, bool bcp, const RowsOptions& options);
/// An object in each line.
std::unique_ptr<RowFile> read_json_lines(std::unique_ptr<Bytes> from, const RowsOptions& options);
/// A table of a SQLite file, as npm azure-mobile-apps made it: its __types tell truths and dates, versions become what clients saw.
Result<std::unique_ptr<RowFile>> read_sqlite_rows(const std::string& path, const RowsOptions& options);

}  // namespace mandate::cli
