// A service's folder on its way: which files it may have, and the one text they travel in.
//
//   folder = "mandate-folder/1" LF *( size SP path LF size*OCTET )        size in decimal; paths below the service's folder
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/folder_path.h"
#include "base/result.h"

namespace mandate::tables::code {

/// path → content; "table/TodoItem.insert.js", "node_modules/a/index.js".
using Files = std::map<std::string, std::string, std::less<>>;

using folder::kMostBytes, folder::kMostFileBytes, folder::kMostFiles, folder::kMostPath, folder::path_problem;
/// The most that a folder's text can be long.
inline constexpr std::size_t kMostText = kMostBytes + (8 << 20);

/// Pure. invalid_request names the file: a path that must not be, two of one name, a file that is also a folder, too many or
/// too large; payload_too_large for the whole.
Result<Files> parse_folder(std::string_view text);
std::string write_folder(const Files& files);

}  // namespace mandate::tables::code
