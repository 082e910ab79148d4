// Values as PostgreSQL's binary format has them, and back.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <vector>

#include "store/shape.h"

namespace mandate::store::postgres {

/// The types this engine keeps cells in; numeric is met in computed values only. The numbers are PostgreSQL's type oids.
enum class Kind : unsigned { none = 0, boolean = 16, int8 = 20, text = 25, float8 = 701, numeric = 1700 };

/// What SQL calls it.
const char* sql_name(Kind kind);
/// Of the columns of an app's table.
Kind kind_of(Type type);
/// What `value` is bound as when nothing else is asked for.
Kind kind_of(const Value& value);

/// Parameters of one statement, as libpq wants them.
class Parameters {
 public:
  void clear();
  /// Converts as SQLite's column affinity would. invalid_request when the value does not fit the column.
  Result<void> add(const Value& value, Kind kind);
  void add_number(std::int64_t number);
  void add_text(std::string_view text);
  /// The `column`-th parameter of each of `rows` as one array, for unnest.
  void add_array(const std::vector<const Parameters*>& rows, std::size_t column, Kind kind);

  std::size_t size() const { return places_.size(); }
  /// Valid until the next change.
  struct View {
    std::vector<const char*> values;
    std::vector<int> lengths, formats;
  };
  void view(View& out) const;

 private:
  struct Place {
    std::size_t at = 0;
    std::size_t size = 0;
    bool null = false;
  };
  std::string_view operator[](std::size_t i) const { return std::string_view(bytes_).substr(places_[i].at, places_[i].size); }
  void close(std::size_t start) { places_.push_back({start, bytes_.size() - start, false}); }

  std::string bytes_;
  std::vector<Place> places_;
};

/// A cell of a binary result as the seam has it: booleans as 0 or 1.
Value cell_of(const PGresult* result, int row, int column);

/// PostgreSQL's text has no NUL. U+FFFF, which no text should carry, stands in for it: U+FFFF U+0030 is NUL, U+FFFF
/// U+0031 is U+FFFF itself.
std::string without_nul(std::string_view text);
std::string with_nul(std::string_view stored);

/// A row of a binary result.
class ResultRow final : public RowView {
 public:
  ResultRow(const PGresult* result, const std::vector<std::string>& names, const std::vector<Kind>& kinds, int first = 0)
      : result_(result), names_(names), kinds_(kinds), first_(first) {}
  void at(int row) { row_ = row; }
  std::size_t bytes() const;

  std::size_t size() const override { return names_.size(); }
  std::string_view name(std::size_t column) const override { return names_[column]; }
  bool null(std::size_t column) const override;
  std::int64_t integer(std::size_t column) const override;
  double real(std::size_t column) const override;
  std::string_view text(std::size_t column) const override;
  Value value(std::size_t column) const override;

 private:
  int place(std::size_t column) const { return first_ + static_cast<int>(column); }
  const PGresult* result_;
  const std::vector<std::string>& names_;
  const std::vector<Kind>& kinds_;
  int first_ = 0, row_ = 0;
  mutable std::vector<std::string> made_;  ///< texts that hold a NUL, by column
};

}  // namespace mandate::store::postgres
