// What a column can hold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mandate::store {

/// Asks the engine for a number of milliseconds that is > every earlier Stamp of the same table and ≥ now.
/// Given inside the commit, in commit order, so a reader that saw stamp N has seen every row with a smaller one.
/// All Stamps of one mutation are the same number.
struct Stamp {
  bool operator==(const Stamp&) const = default;
};

/// A cell. Times are Millis in an int64, booleans are bool (engines that lack them keep 0/1), JSON is text.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Stamp>;

inline bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

/// A row being read. Views are valid until the next row; columns are in the order of Plan::select.
class RowView {
 public:
  virtual ~RowView() = default;
  virtual std::size_t size() const = 0;
  virtual std::string_view name(std::size_t column) const = 0;
  virtual bool null(std::size_t column) const = 0;
  virtual std::int64_t integer(std::size_t column) const = 0;
  virtual double real(std::size_t column) const = 0;
  virtual std::string_view text(std::size_t column) const = 0;
  /// The cell as the engine holds it: int64, double, string or null. Booleans come back as int64 0/1 on SQLite.
  virtual Value value(std::size_t column) const = 0;
};

/// A row kept. Columns are found by name; a column that was not selected reads as null.
class Row {
 public:
  Row() = default;
  Row(std::shared_ptr<const std::vector<std::string>> names, std::vector<Value> cells)
      : names_(std::move(names)), cells_(std::move(cells)) {}

  const Value& operator[](std::string_view column) const;
  bool null(std::string_view column) const { return is_null((*this)[column]); }
  /// 0 for null or text.
  std::int64_t integer(std::string_view column) const;
  double real(std::string_view column) const;
  bool boolean(std::string_view column) const { return integer(column) != 0; }
  /// Empty for null.
  std::string_view text(std::string_view column) const;

  std::size_t size() const { return cells_.size(); }
  const std::string& name(std::size_t i) const { return (*names_)[i]; }
  const Value& cell(std::size_t i) const { return cells_[i]; }

 private:
  std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<Value> cells_;
};

}  // namespace mandate::store
