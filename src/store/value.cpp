#include "store/value.h"

namespace mandate::store {
namespace {
const Value kNull{};
}

const Value& Row::operator[](std::string_view column) const {
  if (!names_) return kNull;
  for (std::size_t i = 0; i < cells_.size(); ++i)
    if ((*names_)[i] == column) return cells_[i];
  return kNull;
}

std::int64_t Row::integer(std::string_view column) const {
  const Value& cell = (*this)[column];
  if (auto* i = std::get_if<std::int64_t>(&cell)) return *i;
  if (auto* b = std::get_if<bool>(&cell)) return *b;
  // A double out of the range of int64 would be undefined behaviour to cast.
  if (auto* d = std::get_if<double>(&cell); d && *d > -9.2e18 && *d < 9.2e18) return static_cast<std::int64_t>(*d);
  return 0;
}

double Row::real(std::string_view column) const {
  const Value& cell = (*this)[column];
  if (auto* d = std::get_if<double>(&cell)) return *d;
  return static_cast<double>(integer(column));
}

std::string_view Row::text(std::string_view column) const {
  auto* text = std::get_if<std::string>(&(*this)[column]);
  return text ? std::string_view(*text) : std::string_view();
}

}  // namespace mandate::store
