// Files that go out as they are: the console, pictures, scripts of our pages.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/embedded.h"
#include "base/result.h"
#include "http/router.h"

namespace mandate::http {

/// A set of files, read once into memory: no text of a client ever becomes a file name (HT-7), nothing blocks a loop.
/// Immutable; shared by all loops.
class StaticFiles {
 public:
  /// The texts must outlive the set, as those of mandate_embed_files do. Names may hold slashes.
  static StaticFiles of_embedded(std::span<const EmbeddedFile> files);
  /// Every regular file below `directory`, by its path relative to it; hidden names and symbolic links are left out.
  /// Errors: bad_request when it cannot be read or is larger than `limit` bytes.
  static Result<StaticFiles> of_directory(const std::string& directory, std::size_t limit = 64 << 20);

  /// 200 with a strong ETag, 304 for a matching If-None-Match, 404 with no such file. `cache_control`: for the 200 and 304.
  Response answer(const Request& request, std::string_view name, std::string_view cache_control = "no-cache") const;
  /// A handler for "…/{path...}": the last placeholder is the name. The set must outlive the routes.
  Handler handler(std::string cache_control = "no-cache") const;
  bool has(std::string_view name) const { return files_.contains(name); }

 private:
  struct File {
    std::string owned;
    std::string_view text;
    std::string_view type;
    std::string etag;
  };
  void add(std::string name, std::string owned, std::string_view text);
  std::map<std::string, std::unique_ptr<File>, std::less<>> files_;
};

/// The media type by the name's ending; application/octet-stream when unknown.
std::string_view media_type_of(std::string_view name);

}  // namespace mandate::http
