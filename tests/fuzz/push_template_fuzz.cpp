// Templates as devices send them: what was taken can be rendered, and JSON stays JSON.
#include "push/templates.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using mandate::push::Platform;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const mandate::JsonObject message{{"message", "a \"quoted\" <text> & more"}, {"n", 7}, {"list", mandate::JsonArray{1, "two"}}}, device{{"name", "phone"}};
  for (const Platform platform : {Platform::apns, Platform::wns}) {
    if (!mandate::push::check_template(platform, body).ok()) continue;
    const auto rendered = mandate::push::render(platform, body, {message, device});
    if (!rendered.ok()) __builtin_trap();
    if (platform == Platform::apns && !mandate::parse_json(*rendered, {.bytes = 64 << 20, .string_bytes = 64 << 20}).ok()) __builtin_trap();
  }
  return 0;
}
