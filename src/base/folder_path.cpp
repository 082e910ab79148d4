#include "base/folder_path.h"

#include "base/json.h"
#include "base/url.h"

namespace mandate::folder {

std::string path_problem(std::string_view path) {
  if (path.empty()) return "has no name";
  if (path.size() > kMostPath) return "is longer than " + std::to_string(kMostPath) + " characters";
  if (!valid_utf8(path)) return "is not UTF-8";
  for (const char c : path)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "has a control character in its name";
  if (path.find('\\') != std::string_view::npos) return "has a backslash in its name";
  if (path.starts_with('/')) return "is an absolute path";
  if (path.find("//") != std::string_view::npos || path.ends_with('/')) return "has an empty part in its path";
  for (const std::string& segment : split(path, '/')) {
    if (segment == "." || segment == "..") return "leaves the folder";
    if (segment.starts_with('.')) return "is hidden: nothing whose name begins with a dot is of the folder";
    if (segment.starts_with(' ') || segment.ends_with(' ')) return "has a blank at the end of a name";
  }
  if (ascii_lower(path).ends_with(".node")) return "is a native module: they do not run here";
  return {};
}

}  // namespace mandate::folder
