#include "tables/code/manifest.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"

namespace mandate::tables::code {

std::int64_t Manifest::bytes() const {
  std::int64_t out = 0;
  for (const auto& [path, file] : files) out += file.size;
  return out;
}

std::string Manifest::hash() const {
  std::string all = "mandate service code\n";
  for (const auto& [path, file] : files) all.append(path).append("\n").append(file.hash).append("\n");
  return to_hex(sha256(all));
}

std::string Manifest::to_text() const {
  JsonArray out;
  for (const auto& [path, file] : files) out.push_back(JsonArray{path, file.hash, file.size});
  return to_json(Json(std::move(out)));
}

Result<Manifest> Manifest::from_text(std::string_view text) {
  const Error damaged(Code::corrupt, "", "the list of a service's files is damaged");
  JsonLimits limits;  // our own row
  limits.bytes = 16 << 20;
  const Result<Json> json = parse_json(text, limits);
  if (!json.ok() || !json->is_array()) return damaged;
  Manifest out;
  for (const Json& each : json->get_array()) {
    const JsonArray* one = each.if_array();
    if (!one || one->size() != 3 || !(*one)[0].is_string() || !(*one)[1].is_string() || !(*one)[2].is_int64()) return damaged;
    out.files[std::string(view((*one)[0].get_string()))] = {std::string(view((*one)[1].get_string())), (*one)[2].get_int64()};
  }
  return out;
}

bool for_scripts(std::string_view path) {
  const std::string name = ascii_lower(path);
  const bool module = name.starts_with("node_modules/") || name.find("/node_modules/") != std::string::npos;
  if (!module) return true;
  for (const std::string_view ending : {".d.ts", ".d.mts", ".d.cts", ".ts", ".md", ".markdown", ".html", ".css", ".png", ".jpg", ".gif", ".svg", ".tgz", ".gz", ".wasm"})
    if (name.ends_with(ending)) return false;
  return true;
}

ManifestDiff diff(const Manifest& before, const Manifest& after) {
  ManifestDiff out;
  for (const auto& [path, file] : after.files) {
    const auto old = before.files.find(path);
    if (old == before.files.end()) out.added.push_back(path);
    else if (!(old->second == file)) out.changed.push_back(path);
  }
  for (const auto& [path, file] : before.files)
    if (!after.files.contains(path)) out.removed.push_back(path);
  return out;
}

}  // namespace mandate::tables::code
