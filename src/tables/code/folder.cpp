#include "tables/code/folder.h"

#include <charconv>

#include "base/url.h"

namespace mandate::tables::code {

namespace {

constexpr std::string_view kHead = "mandate-folder/1\n";

Error bad(std::string_view path, const std::string& what) {
  std::string shown;
  for (const char c : path.substr(0, 200)) shown += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return Error(Code::invalid_request, (valid_utf8(shown) ? shown : "a path") + ": " + what);
}

/// Whether a folder above this path is a file of its own.
bool below_a_file(const Files& files, std::string_view path) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1))
    if (files.contains(path.substr(0, slash))) return true;
  return false;
}

}  // namespace

Result<Files> parse_folder(std::string_view text) {
  if (!text.starts_with(kHead)) return Error(Code::invalid_request, "This is no folder.");
  text.remove_prefix(kHead.size());
  Files files;
  std::size_t total = 0;
  while (!text.empty()) {
    std::size_t size = 0;
    const std::size_t line = text.find('\n');
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || line == std::string_view::npos || end == text.data() + text.size() || *end != ' ' || end >= text.data() + line)
      return Error(Code::invalid_request, "The folder is cut off or damaged.");
    const std::string_view path(end + 1, static_cast<std::size_t>(text.data() + line - end - 1));
    text.remove_prefix(line + 1);
    if (const std::string problem = path_problem(path); !problem.empty()) return bad(path, problem);
    if (size > kMostFileBytes) return bad(path, "is larger than " + std::to_string(kMostFileBytes >> 20) + " MiB");
    if (size > text.size()) return Error(Code::invalid_request, "The folder is cut off or damaged.");
    total += size;
    if (total > kMostBytes) return Error(Code::payload_too_large, "The folder is larger than " + std::to_string(kMostBytes >> 20) + " MiB.");
    if (files.size() >= kMostFiles) return Error(Code::payload_too_large, "The folder has more than " + std::to_string(kMostFiles) + " files.");
    if (!files.emplace(std::string(path), std::string(text.substr(0, size))).second) return bad(path, "is there twice");
    text.remove_prefix(size);
  }
  for (const auto& [path, content] : files)
    if (below_a_file(files, path)) return bad(path, "is below a file");
  return files;
}

std::string write_folder(const Files& files) {
  std::string out(kHead);
  for (const auto& [path, content] : files) out.append(std::to_string(content.size())).append(" ").append(path).append("\n").append(content);
  return out;
}

}  // namespace mandate::tables::code
