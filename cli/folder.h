// A service's folder on this machine, and in the one text it travels in:
//
//   folder = "mandate-folder/1" LF *( size SP path LF size*OCTET )
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace mandate::cli {

struct Folder {
  std::map<std::string, std::string> files;  ///< path below the service's folder → content
  std::vector<std::string> notices;          ///< what was passed over, and why
};

/// DIR/service where there is one, as in the repositories of old; else DIR.
std::filesystem::path service_folder(const std::filesystem::path& directory);

/// Every file below it, but those and folders whose names begin with '.'; symbolic links are not followed. invalid_request:
/// no folder, too large, native modules (by name).
Result<Folder> read_folder(const std::filesystem::path& root);

/// When package.json names dependencies and there is no node_modules: npm installs them, without running their scripts, in a
/// private copy, and they come into `folder`. What npm says goes to standard error.
Result<void> install_modules(Folder& folder);

std::string folder_text(const Folder& folder);
Result<Folder> parse_folder_text(std::string_view text);

/// Writes the files. Unless `force`, a file that is there and differs, or that the version does not have, is
/// invalid_request and nothing is written. Gives the number of files written.
Result<std::size_t> write_folder(const Folder& folder, const std::filesystem::path& root, bool force);

}  // namespace mandate::cli
