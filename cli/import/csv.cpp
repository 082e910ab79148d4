#include "import/csv.h"

#include <array>

#include "base/url.h"

namespace mandate::cli {
namespace {

constexpr std::size_t kMostBytes = 4 << 20, kMostFields = 4000;

}  // namespace

Result<void> Csv::add(std::string& text, int c) {
  if (++size_ > kMostBytes)
    return Error(Code::bad_request, shape_.quotes ? "the record is longer than 4 MB: perhaps a quote is not closed" : "the record is longer than 4 MB");
  text += static_cast<char>(c);
  return {};
}

/// Takes a line end, when one is next.
bool Csv::at_end_of_record() {
  const int c = in_.peek();
  if (c != '\r' && c != '\n') return c == Utf8::kEnd;
  in_.next();
  if (c == '\r' && in_.peek() == '\n') in_.next();
  ++line_;
  return true;
}

Result<void> Csv::quoted(CsvField& field) {
  field.quoted = true;
  for (;;) {
    const int c = in_.next();
    if (c == Utf8::kEnd) {
      CHECK_OK(in_.status());
      return Error(Code::bad_request, "a quote is not closed");
    }
    if (c == '"') {
      if (in_.peek() != '"') break;
      in_.next();
    }
    if (c == '\n' || (c == '\r' && in_.peek() != '\n')) ++line_;
    CHECK_OK(add(field.text, c));
  }
  const int after = in_.peek();
  if (after == Utf8::kEnd || after == '\r' || after == '\n' || after == static_cast<unsigned char>(shape_.delimiter)) return {};
  return Error(Code::bad_request, "a quote ends before its field does; a quote within one is written twice");
}

Result<bool> Csv::read(std::vector<CsvField>& record) {
  record.clear();
  begun_ = line_;
  size_ = 0;
  if (in_.peek() == Utf8::kEnd) {
    CHECK_OK(in_.status());
    return false;
  }
  for (;;) {
    if (record.size() == kMostFields) return Error(Code::bad_request, "the record has more than " + std::to_string(kMostFields) + " fields");
    CsvField& field = record.emplace_back();
    if (shape_.quotes && in_.peek() == '"') {
      in_.next();
      CHECK_OK(quoted(field));
    }
    for (int c = in_.peek(); c != Utf8::kEnd && c != '\r' && c != '\n' && c != static_cast<unsigned char>(shape_.delimiter); c = in_.peek()) {
      if (shape_.quotes && c == '"') return Error(Code::bad_request, "a quote stands within a field that does not begin with one");
      CHECK_OK(add(field.text, in_.next()));
    }
    if (!valid_utf8(field.text)) return Error(Code::bad_request, "the record is not UTF-8: convert the file first, as with iconv");
    if (at_end_of_record()) break;
    in_.next();  // the delimiter
  }
  CHECK_OK(in_.status());
  return true;
}

Result<bool> Csv::next(std::vector<CsvField>& record) {
  for (;;) {
    TRY(const bool more, read(record));
    if (!more) return false;
    const bool nothing = record.size() == 1 && record.front().text.empty() && !record.front().quoted;
    if (!nothing) return true;
  }
}

char delimiter_of(std::string_view first_line) {
  constexpr std::array<char, 4> kKnown{',', ';', '\t', '|'};
  std::array<std::size_t, 4> counts{};
  bool quoted = false;
  for (const char c : first_line) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) break;
    for (std::size_t i = 0; i < kKnown.size(); ++i)
      if (!quoted && c == kKnown[i]) ++counts[i];
  }
  return kKnown[static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin())];
}

}  // namespace mandate::cli
