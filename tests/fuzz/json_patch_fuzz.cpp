// A document and a JSON patch of it, in two lines.
#include "tables/wire/json_patch.h"

using namespace mandate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  auto document = parse_json(text.substr(0, line));
  auto patch = parse_json(text.substr(std::min(line + 1, text.size())));
  if (!document.ok() || !document->is_object() || !patch.ok() || !patch->is_array()) return 0;
  JsonObject item = document->get_object();
  const auto done = tables::wire::apply_patch(item, patch->get_array());
  if (!done.ok() && item != document->get_object()) __builtin_trap();  // all or nothing
  (void)to_json(Json(std::move(item)));
  return 0;
}
