#include "http/static.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/base64.h"
#include "base/crypto.h"
#include "http/security_headers.h"
#include "http/wire/characters.h"

namespace mandate::http {
namespace {

/// If-None-Match: a list of tags or "*"; weak tags match too (RFC 9110 §13.1.2).
bool matches(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view tag = wire::trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag) return true;
  }
  return false;
}

}  // namespace

std::string_view media_type_of(std::string_view name) {
  const std::string_view ending = name.substr(std::min(name.rfind('.'), name.size()));
  if (ending == ".html") return "text/html; charset=utf-8";
  if (ending == ".css") return "text/css; charset=utf-8";
  if (ending == ".js" || ending == ".mjs") return "text/javascript; charset=utf-8";
  if (ending == ".json" || ending == ".map") return "application/json; charset=utf-8";
  if (ending == ".svg") return "image/svg+xml";
  if (ending == ".png") return "image/png";
  if (ending == ".jpg" || ending == ".jpeg") return "image/jpeg";
  if (ending == ".gif") return "image/gif";
  if (ending == ".webp") return "image/webp";
  if (ending == ".ico") return "image/x-icon";
  if (ending == ".woff2") return "font/woff2";
  if (ending == ".txt" || ending == ".md") return "text/plain; charset=utf-8";
  if (ending == ".wasm") return "application/wasm";
  return "application/octet-stream";
}

void StaticFiles::add(std::string name, std::string owned, std::string_view text) {
  auto file = std::make_unique<File>();
  file->owned = std::move(owned);
  file->text = text.data() ? text : std::string_view(file->owned);
  file->type = media_type_of(name);
  file->etag = '"' + base64url(sha256(file->text)).substr(0, 22) + '"';
  files_[std::move(name)] = std::move(file);
}

StaticFiles StaticFiles::of_embedded(std::span<const EmbeddedFile> files) {
  StaticFiles set;
  for (const EmbeddedFile& file : files) set.add(std::string(file.name), {}, file.text);
  return set;
}

Result<StaticFiles> StaticFiles::of_directory(const std::string& directory, std::size_t limit) {
  namespace fs = std::filesystem;
  StaticFiles set;
  std::size_t total = 0;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error)) {
    const fs::directory_entry& entry = *at;
    if (entry.path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
      continue;
    }
    if (entry.is_symlink() || !entry.is_regular_file()) continue;
    total += entry.file_size();
    if (total > limit) return Error(Code::bad_request, "The folder is too large to serve.", directory);
    std::ifstream in(entry.path(), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    if (!in.good() && !in.eof()) return Error(Code::bad_request, "A file cannot be read.", entry.path().string());
    set.add(entry.path().lexically_relative(directory).generic_string(), std::move(bytes), {});
  }
  if (error) return Error(Code::bad_request, "The folder cannot be read.", directory + ": " + error.message());
  return set;
}

Response StaticFiles::answer(const Request& request, std::string_view name, std::string_view cache_control) const {
  const auto at = files_.find(name);
  if (at == files_.end()) return Response::json(404, std::string(R"({"error":"not_found"})"));
  const File& file = *at->second;
  const bool same = matches(request.headers.get("If-None-Match"), file.etag);
  Response response(same ? 304 : 200);
  response.headers.set("ETag", file.etag);
  response.headers.set("Cache-Control", cache_control);
  if (same) return response;
  response.headers.set("Content-Type", file.type);
  // A picture that is a document must not run what it carries.
  if (file.type == "image/svg+xml") response.headers.set("Content-Security-Policy", kPagePolicy);
  response.body = file.text;
  return response;
}

Handler StaticFiles::handler(std::string cache_control) const {
  return [this, cache = std::move(cache_control)](Request& request) -> Task<Response> {
    const std::string_view name = request.params.empty() ? std::string_view() : std::string_view(request.params.back());
    co_return answer(request, name, cache);
  };
}

}  // namespace mandate::http
