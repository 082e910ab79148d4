#include "scripts/bundle.h"

#include "base/json.h"

namespace mandate::scripts {

std::size_t bundle_bytes(const Bundle& bundle) {
  std::size_t sum = 0;
  for (const auto& [path, text] : bundle.files) sum += path.size() + text.size() + 32;
  return sum;
}

std::string bundle_text(const Bundle& bundle) {
  JsonObject files;
  std::size_t at = 0;
  for (const auto& [path, text] : bundle.files) {
    files[path] = JsonArray{static_cast<std::int64_t>(at), static_cast<std::int64_t>(text.size())};
    at += text.size();
  }
  const std::string index = to_json(JsonObject{{"version", bundle.version}, {"files", std::move(files)}});
  std::string out;
  out.reserve(4 + index.size() + at);
  for (std::size_t i = 0; i < 4; ++i) out += static_cast<char>(static_cast<unsigned char>(index.size() >> (8 * i)));
  out += index;
  for (const auto& [path, text] : bundle.files) out += text;
  return out;
}

}  // namespace mandate::scripts
