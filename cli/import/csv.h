// Records of CSV (RFC 4180) and of what SQL Server's bcp writes in character mode.
#pragma once

#include <string>
#include <vector>

#include "import/bytes.h"

namespace mandate::cli {

///   file   = record *(end record) [end]          end = CRLF / LF / CR
///   record = field *(delimiter field)
///   field  = *char / DQUOTE *(char / DQUOTE DQUOTE / end) DQUOTE
struct CsvShape {
  char delimiter = ',';
  bool quotes = true;  ///< false: bcp. A quote is a character like any other, and no field holds a line end
};

struct CsvField {
  std::string text;
  bool quoted = false;  ///< an empty one is a text, not nothing
};

/// Reads a file of any length with the memory of one record.
class Csv {
 public:
  Csv(std::unique_ptr<Bytes> from, CsvShape shape) : in_(std::move(from)), shape_(shape) {}

  /// False at the end. Lines with nothing on them are passed over. bad_request, its hint without a place: a quote that is not
  /// closed or stands within a field, a record over 4 MB or of over 4,000 fields, a character that is no UTF-8.
  Result<bool> next(std::vector<CsvField>& record);
  /// Of the record that was read last, or failed: where it begins, from 1.
  std::int64_t line() const { return begun_; }
  std::uint64_t bytes() const { return in_.bytes(); }

 private:
  Result<bool> read(std::vector<CsvField>& record);
  Result<void> quoted(CsvField& field);
  bool at_end_of_record();
  Result<void> add(std::string& text, int c);

  Utf8 in_;
  CsvShape shape_;
  std::int64_t line_ = 1, begun_ = 1;
  std::size_t size_ = 0;
};

/// The one of , ; TAB | that the first line has most of outside quotes; a comma where it has none.
char delimiter_of(std::string_view first_line);

}  // namespace mandate::cli
