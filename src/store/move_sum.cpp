#include <bit>
#include <cmath>
#include <cstring>

#include "base/crypto.h"
#include "base/url.h"
#include "store/move.h"

namespace mandate::store {
namespace {

std::string described(const Value& cell) {
  if (const auto* text = std::get_if<std::string>(&cell))
    return valid_utf8(*text) ? "text \"" + text->substr(0, 40) + "\"" : "text that is not UTF-8";
  if (const auto* real = std::get_if<double>(&cell)) return "the number " + std::to_string(*real);
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return "the number " + std::to_string(*whole);
  return "a value";
}

Error unfit(const Value& cell, std::string_view kind) {
  return Error(Code::invalid_request, described(cell) + " where " + std::string(kind) + " should be");
}

void append(std::string& out, char kind, std::uint64_t number) {
  out += kind;
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(number >> shift);
}

}  // namespace

Result<Value> moved_cell(Value cell, Type type) {
  if (is_null(cell)) return cell;
  if (const auto* flag = std::get_if<bool>(&cell)) cell = std::int64_t{*flag};
  const auto* whole = std::get_if<std::int64_t>(&cell);
  switch (type) {
    case Type::boolean:
      if (!whole || (*whole != 0 && *whole != 1)) return unfit(cell, "true or false");
      return cell;
    case Type::integer:
    case Type::date:
      if (!whole) return unfit(cell, "a whole number");
      return cell;
    case Type::real:
      if (whole) return Value(static_cast<double>(*whole));
      if (!std::holds_alternative<double>(cell)) return unfit(cell, "a number");
      if (std::isnan(std::get<double>(cell))) return Error(Code::invalid_request, "a number that is none (NaN)");
      return cell;
    default:
      if (const auto* text = std::get_if<std::string>(&cell); !text || !valid_utf8(*text)) return unfit(cell, "text");
      return cell;
  }
}

Result<void> fit_cells(const MovedTable& table, std::int64_t number, std::vector<Value>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Result<Value> cell = moved_cell(std::move(cells[i]), table.columns[i].type);
    if (!cell.ok())
      return Error(Code::invalid_request, "table " + table.name + ", column " + table.columns[i].name + ", row " + std::to_string(number) +
                                              ": " + cell.error().hint + ". Mend it, then move again.");
    cells[i] = *std::move(cell);
  }
  return {};
}

void MoveSum::add(const std::vector<Value>& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Value& cell = cells[i];
    append(row, 'c', i);
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
      append(row, 'i', static_cast<std::uint64_t>(*whole));
    } else if (const auto* real = std::get_if<double>(&cell)) {
      // One engine keeps the sign of zero, the other does not.
      append(row, 'd', std::bit_cast<std::uint64_t>(*real == 0 ? 0.0 : *real));
    } else if (const auto* text = std::get_if<std::string>(&cell)) {
      append(row, 't', text->size());
      row += *text;
    } else {
      row += 'n';
    }
  }
  const std::string hash = sha256(row);
  unsigned __int128 half = 0;
  std::memcpy(&half, hash.data(), sizeof half);
  sum_ += half;
  ++rows_;
}

std::string MoveSum::hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 124; shift >= 64; shift -= 4) out += kDigits[static_cast<unsigned>(sum_ >> shift) & 15];
  return out;
}

}  // namespace mandate::store
