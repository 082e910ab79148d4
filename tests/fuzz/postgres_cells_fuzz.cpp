// Cells on their way to PostgreSQL and back: every text survives, what is stored as text is read whatever it is, and numbers
// are what they were. The first byte chooses the column's type.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "store/postgres/cells.h"

namespace {

using namespace mandate::store;
using namespace mandate::store::postgres;

constexpr Kind kKinds[] = {Kind::boolean, Kind::int8, Kind::float8, Kind::text};

/// One row of one cell, as a server would send it.
std::unique_ptr<PGresult, void (*)(PGresult*)> result_with(Kind kind, const char* bytes, int length) {
  std::unique_ptr<PGresult, void (*)(PGresult*)> out(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK), PQclear);
  char name[] = "c";
  PGresAttDesc column{name, 0, 0, 1, static_cast<Oid>(kind), 0, 0};
  if (!out || !PQsetResultAttrs(out.get(), 1, &column) || !PQsetvalue(out.get(), 0, 0, const_cast<char*>(bytes), length)) std::abort();
  return out;
}

Value there_and_back(const Value& value, Kind kind, bool& fits) {
  Parameters parameters;
  fits = parameters.add(value, kind).ok();
  if (!fits) return {};
  Parameters::View view;
  parameters.view(view);
  const auto result = result_with(kind, view.values[0], view.lengths[0]);
  return cell_of(result.get(), 0, 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Kind kind = kKinds[data[0] % 4];
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (with_nul(without_nul(text)) != text || without_nul(text).find('\0') != std::string::npos) std::abort();
  (void)with_nul(text);
  bool fits = false;
  const Value back = there_and_back(text, kind, fits);
  if (kind == Kind::text && (!fits || std::get<std::string>(back) != text)) std::abort();
  if (text.size() >= 8) {
    std::int64_t whole;
    double real;
    std::memcpy(&whole, text.data(), sizeof whole);
    std::memcpy(&real, text.data(), sizeof real);
    const Value number = there_and_back(whole, Kind::int8, fits);
    if (!fits || std::get<std::int64_t>(number) != whole) std::abort();
    const Value same = there_and_back(real, Kind::float8, fits);
    if (!fits || std::memcmp(&std::get<double>(same), &real, sizeof real) != 0) std::abort();
    (void)there_and_back(real, kind, fits);
    (void)there_and_back(whole, kind, fits);
  }
  // As a server sends it: any bytes of the type's own length.
  const int length = kind == Kind::text ? static_cast<int>(text.size()) : kind == Kind::boolean ? 1 : 8;
  if (static_cast<std::size_t>(length) > text.size()) return 0;
  const auto result = result_with(kind, text.data(), length);
  const std::vector<std::string> names{"c"};
  const std::vector<Kind> kinds{kind};
  ResultRow row(result.get(), names, kinds);
  row.at(0);
  (void)row.integer(0), (void)row.real(0), (void)row.text(0), (void)row.value(0);
  return 0;
}
