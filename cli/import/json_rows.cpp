// Rows of JSON lines.
#include "base/url.h"
#include "import/rows.h"

namespace mandate::cli {
namespace {

constexpr std::size_t kLongestLine = 4 << 20;
/// What parse_json() says of a request.
constexpr std::string_view kNoJson = "The body is not valid JSON.";

class JsonLines final : public RowFile {
 public:
  JsonLines(std::unique_ptr<Bytes> from, const RowsOptions& options) : in_(std::move(from)), options_(options) { types_ = options.types; }

  Result<bool> next(FileRow& row) override {
    std::string text;
    do {
      TRY(const bool more, line(text));
      if (!more) return false;
    } while (text.find_first_not_of(" \t\r") == std::string::npos);
    row.line = line_;
    JsonLimits limits;
    limits.bytes = limits.string_bytes = kLongestLine;
    const Result<Json> parsed = parse_json(text, limits);
    // One that goes on over several lines is none yet.
    if (text[text.find_first_not_of(" \t\r")] == '[') return wrong("a list: write each of its objects on a line of its own (jq -c '.[]' does)");
    if (!parsed.ok()) return wrong(parsed.error().hint == kNoJson || parsed.error().hint.empty() ? "no JSON" : parsed.error().hint);
    if (!parsed->is_object()) return wrong("no object");
    row.item.clear();
    std::vector<std::string> there;
    for (const auto& member : parsed->get_object()) there.emplace_back(member.key().data(), member.key().size());
    const auto names = names_of(there, options_);
    if (!names.ok()) return wrong(names.error().hint);
    std::size_t i = 0;
    for (const auto& member : parsed->get_object()) {
      const std::string& name = (*names)[i++];
      if (!name.empty()) row.item[name] = member.value();
    }
    return true;
  }

  std::uint64_t done() const override { return in_.bytes(); }

 private:
  Error wrong(const std::string& why) const { return Error(Code::bad_request, "line " + std::to_string(line_) + ": " + why); }

  Result<bool> line(std::string& text) {
    text.clear();
    ++line_;
    int c = in_.next();
    const bool any = c != Utf8::kEnd;
    for (; c != Utf8::kEnd && c != '\n'; c = in_.next()) {
      if (text.size() == kLongestLine) return wrong("longer than 4 MB");
      text += static_cast<char>(c);
    }
    if (const Result<void> read = in_.status(); !read.ok()) return wrong(read.error().hint);
    return any;
  }

  Utf8 in_;
  const RowsOptions options_;
  std::int64_t line_ = 0;
};

}  // namespace

std::unique_ptr<RowFile> read_json_lines(std::unique_ptr<Bytes> from, const RowsOptions& options) {
  return std::make_unique<JsonLines>(std::move(from), options);
}

}  // namespace mandate::cli
