// Bodies, queries and cookies of strangers. The first byte chooses the Content-Type.
#include "http/params.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mandate::http;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::string_view kTypes[] = {"application/x-www-form-urlencoded", "application/json", "", "text/plain"};
  Request request;
  request.method = Method::post;
  request.headers.add("Content-Type", kTypes[data[0] % 4]);
  request.headers.add("Cookie", bytes);
  request.body = bytes;
  request.query = bytes.substr(0, bytes.size() / 2);
  const auto params = Params::of(request);
  if (params.ok()) {
    for (const auto& [name, values] : (*params).everything()) {
      if ((*params).all(name).size() != values.size()) __builtin_trap();
      (void)(*params).refuse_repeated({name});
      (void)(*params).get(name);
    }
  }
  (void)cookie(request, "a");
  (void)cookie(request, bytes.substr(0, 3));
  return 0;
}
