// What kind of file it is.
#include <sys/stat.h>

#include "base/url.h"
#include "import/guess.h"
#include "import/rows.h"

namespace mandate::cli {
namespace {

using Types = std::map<std::string, std::string>;

constexpr std::size_t kHead = 64 << 10;
constexpr std::string_view kSqlite{"SQLite format 3\0", 16}, kZip{"PK\3\4", 4};

/// A text file with its size beside it, for progress.
class Sized final : public RowFile {
 public:
  Sized(std::unique_ptr<RowFile> rows, std::uint64_t size, Types types) : rows_(std::move(rows)), size_(size) {
    types_ = std::move(types);
  }
  Result<bool> next(FileRow& row) override { return rows_->next(row); }
  bool texts() const override { return rows_->texts(); }
  std::uint64_t done() const override { return rows_->done(); }
  std::uint64_t size() const override { return size_; }

 private:
  std::unique_ptr<RowFile> rows_;
  std::uint64_t size_;
};

Result<std::string> head_of(const std::string& path) {
  TRY(const std::unique_ptr<Bytes> bytes, open_bytes(path));
  std::string out(kHead, '\0');
  std::size_t size = 0;
  while (size < kHead) {
    TRY(const std::size_t got, bytes->read(out.data() + size, kHead - size));
    if (got == 0) break;
    size += got;
  }
  out.resize(size);
  return out;
}

/// The first line as UTF-8.
std::string first_line(std::string_view head) {
  Utf8 in(bytes_of(head));
  std::string out;
  for (int c = in.next(); c != Utf8::kEnd && c != '\n'; c = in.next()) out += static_cast<char>(c);
  return out;
}

std::string extension_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? std::string() : ascii_lower(std::string_view(path).substr(dot + 1));
}

Result<std::string> format_of(const std::string& path, std::string_view head) {
  if (head.starts_with(kSqlite)) return std::string("sqlite");
  if (head.starts_with(kZip))
    return Error(Code::bad_request, path + " is a package (.bacpac, .dacpac or .zip), whose rows only SQL Server can read: restore it, and write each table with bcp -c");
  const std::string line = first_line(head), extension = extension_of(path);
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (extension == "jsonl" || extension == "ndjson" || extension == "json" || (first != std::string::npos && line[first] == '{')) return std::string("jsonl");
  if (extension == "bcp" || extension == "dat") return std::string("bcp");
  return std::string("csv");
}

Result<char> delimiter_in(const RowsOptions& options, bool bcp, std::string_view head) {
  if (options.delimiter == "tab" || options.delimiter == "\\t") return '\t';
  if (options.delimiter.size() == 1 && options.delimiter != "\"" && options.delimiter != "\n" && options.delimiter != "\r") return options.delimiter[0];
  if (!options.delimiter.empty()) return Error(Code::bad_request, "--delimiter must be one character, or tab");
  return bcp ? '\t' : delimiter_of(first_line(head));
}

/// Reads everything once.
Result<Types> guessed(RowFile& rows, const RowsOptions& options) {
  std::map<std::string, Guess> guesses;
  FileRow row;
  for (;;) {
    TRY(const bool more, rows.next(row));
    if (!more) break;
    for (const auto& member : row.item)
      if (member.value().is_string()) guesses[ascii_lower({member.key().data(), member.key().size()})].see(view(member.value().get_string()));
  }
  Types out;
  for (const auto& [name, guess] : guesses) out[name] = guess.type();
  for (const auto& [name, type] : options.types) out[name] = type;
  return out;
}

}  // namespace

Result<std::unique_ptr<RowFile>> open_rows(const std::string& path, const RowsOptions& options) {
  struct stat about{};
  if (::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) return Error(Code::bad_request, path + " is no file: it must be one that can be read twice");
  TRY(const std::string head, head_of(path));
  std::string format = options.format;
  if (format.empty()) {
    TRY(format, format_of(path, head));
  }
  if (format == "sqlite") return read_sqlite_rows(path, options);
  const auto size = static_cast<std::uint64_t>(about.st_size);
  TRY(std::unique_ptr<Bytes> bytes, open_bytes(path));
  if (format == "jsonl") return std::unique_ptr<RowFile>(std::make_unique<Sized>(read_json_lines(std::move(bytes), options), size, options.types));

  const bool bcp = format == "bcp";
  if (bcp && options.header.empty()) return Error(Code::bad_request, path + ": bcp writes no names of columns; give them with --header id,text,…");
  TRY(const char delimiter, delimiter_in(options, bcp, head));
  const CsvShape shape{delimiter, !bcp};
  TRY(const std::unique_ptr<RowFile> once, read_csv_rows(std::move(bytes), shape, bcp, options));
  TRY(Types types, guessed(*once, options));
  TRY(std::unique_ptr<Bytes> again, open_bytes(path));
  TRY(std::unique_ptr<RowFile> rows, read_csv_rows(std::move(again), shape, bcp, options));
  return std::unique_ptr<RowFile>(std::make_unique<Sized>(std::move(rows), size, std::move(types)));
}

}  // namespace mandate::cli
