// A service's folder on its way: which files it may have, and the one text they travel in.
//
//   folder = "mandate-folder/1" LF *( size SP path LF size*OCTET )        size in decimal; paths below the service's folder
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mandate::tables::code {

/// path → content; "table/TodoItem.insert.js", "node_modules/a/index.js".
using Files = std::map<std::string, std::string, std::less<>>;

inline constexpr std::size_t kMostFiles = 10'000, kMostFileBytes = 4 << 20, kMostBytes = 32 << 20, kMostPath = 500;
/// The most that a folder's text can be long.
inline constexpr std::size_t kMostText = kMostBytes + (8 << 20);

/// What is wrong with a path, in words for the one who sent it; empty when nothing is: relative, '/' between segments, no
/// segment "." or "..", no control characters, UTF-8, no native module.
std::string path_problem(std::string_view path);

/// Pure. invalid_request names the file: a path that must not be, two of one name, a file that is also a folder, too many or
/// too large; payload_too_large for the whole.
Result<Files> parse_folder(std::string_view text);
std::string write_folder(const Files& files);

}  // namespace mandate::tables::code
