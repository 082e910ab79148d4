// The list of a version's files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace mandate::tables::code {

struct FileRef {
  std::string hash;  ///< SHA-256 of the content, base64url
  std::int64_t size = 0;
  bool operator==(const FileRef&) const = default;
};

struct Manifest {
  std::map<std::string, FileRef, std::less<>> files;  ///< by path

  std::int64_t bytes() const;
  /// SHA-256 in hex of all paths and hashes: equal lists, equal hash.
  std::string hash() const;
  std::string to_text() const;
  /// Code::corrupt.
  static Result<Manifest> from_text(std::string_view text);
};

/// Whether a file is of those that scripts may require or read: text, and in node_modules no documentation nor types.
bool for_scripts(std::string_view path);

/// What differs between two versions.
struct ManifestDiff {
  std::vector<std::string> added, changed, removed;
  bool empty() const { return added.empty() && changed.empty() && removed.empty(); }
};
ManifestDiff diff(const Manifest& before, const Manifest& after);

}  // namespace mandate::tables::code
