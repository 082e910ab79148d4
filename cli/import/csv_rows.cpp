// Rows of text files.
#include "base/url.h"
#include "import/rows.h"

namespace mandate::cli {
namespace {

/// What bcp writes for a text of no characters: nothing at all is a null.
constexpr std::string_view kEmptyOfBcp{"\0", 1};

Error at(std::int64_t line, const Error& error) { return Error(error.code, "line " + std::to_string(line) + ": " + error.hint); }

class CsvRows final : public RowFile {
 public:
  CsvRows(std::unique_ptr<Bytes> from, CsvShape shape, bool bcp, const RowsOptions& options)
      : csv_(std::move(from), shape), bcp_(bcp), null_word_(options.null_word) {
    types_ = options.types;
  }

  Result<void> begin(const RowsOptions& options) {
    std::vector<std::string> there = split(options.header, ',');
    if (there.empty()) {
      TRY(const bool any, read());
      if (!any) return Error(Code::bad_request, "the file is empty");
      if (tells_delimiter()) {
        TRY([[maybe_unused]] const bool more, read());
      }
      for (const CsvField& field : record_) there.push_back(field.text);
    }
    CHECK_OK(check_named(there, options));
    TRY(names_, names_of(there, options));
    return {};
  }

  Result<bool> next(FileRow& row) override {
    TRY(const bool more, read());
    if (!more) return false;
    row.line = csv_.line();
    row.item.clear();
    if (record_.size() != names_.size())
      return at(row.line, Error(Code::bad_request, std::to_string(record_.size()) + " fields where there are " + std::to_string(names_.size()) + " columns"));
    for (std::size_t i = 0; i < record_.size(); ++i)
      if (!names_[i].empty()) row.item[names_[i]] = cell(record_[i]);
    return true;
  }

  bool texts() const override { return true; }
  std::uint64_t done() const override { return csv_.bytes(); }

 private:
  Result<bool> read() {
    Result<bool> more = csv_.next(record_);
    if (!more.ok()) return at(csv_.line(), more.error());
    return more;
  }

  /// Excel's "sep=;" above the header.
  bool tells_delimiter() const { return record_.size() == 2 && iequals(record_[0].text, "sep=") && record_[1].text.empty() && !record_[0].quoted; }

  Json cell(const CsvField& field) const {
    if (bcp_ && field.text == kEmptyOfBcp) return "";
    if (!field.quoted && (field.text.empty() || (!null_word_.empty() && field.text == null_word_))) return nullptr;
    return boost::json::string(field.text);
  }

  Csv csv_;
  bool bcp_;
  std::string null_word_;
  std::vector<std::string> names_;
  std::vector<CsvField> record_;
};

}  // namespace

Result<void> check_named(const std::vector<std::string>& there, const RowsOptions& options) {
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(there, [&](const std::string& each) {
      const std::size_t begin = std::min(each.find_first_not_of(" \t"), each.size()), end = each.find_last_not_of(" \t") + 1;
      return iequals(std::string_view(each).substr(begin, end > begin ? end - begin : 0), name);
    });
  };
  const auto missing = [](const std::string& name, std::string_view why) { return Error(Code::bad_request, "the file has no column '" + name + "' " + std::string(why)); };
  for (const auto& [name, other] : options.renamed)
    if (!has(name)) return missing(name, "to rename");
  for (const std::string& name : options.left_out)
    if (!has(name)) return missing(name, "to leave out");
  return {};
}

Result<std::vector<std::string>> names_of(const std::vector<std::string>& there, const RowsOptions& options) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const std::string& name : there) {
    const std::size_t begin = std::min(name.find_first_not_of(" \t"), name.size()), end = name.find_last_not_of(" \t") + 1;
    std::string trimmed = begin < end ? name.substr(begin, end - begin) : std::string();
    if (std::ranges::any_of(options.left_out, [&](const std::string& each) { return iequals(each, trimmed); })) {
      out.emplace_back();
      continue;
    }
    if (const auto other = options.renamed.find(ascii_lower(trimmed)); other != options.renamed.end()) trimmed = other->second;
    if (trimmed.empty()) return Error(Code::bad_request, "column " + std::to_string(out.size() + 1) + " has no name in the header");
    if (!seen.insert(ascii_lower(trimmed)).second) return Error(Code::bad_request, "the column '" + trimmed + "' is there twice: rename one, or leave it out");
    // All clients know it in lower case.
    out.push_back(iequals(trimmed, "id") ? "id" : std::move(trimmed));
  }
  return out;
}

Result<std::unique_ptr<RowFile>> read_csv_rows(std::unique_ptr<Bytes> from, CsvShape shape, bool bcp, const RowsOptions& options) {
  auto rows = std::make_unique<CsvRows>(std::move(from), shape, bcp, options);
  CHECK_OK(rows->begin(options));
  return std::unique_ptr<RowFile>(std::move(rows));
}

}  // namespace mandate::cli
