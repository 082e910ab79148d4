// What a stranger may send a custom API, and what its script may send back: target, Cookie, Content-Type and body on lines of
// the input; then the same lines as fields of the answer.
#include "http/wire/characters.h"
#include "tables/wire/api_door.h"

using namespace mandate;
using namespace mandate::tables;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto line = [&rest] {
    const std::string_view out = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(out.size() + 1, rest.size()));
    return out;
  };
  http::Request request;
  request.target = line();
  request.query = request.target.find('?') == request.target.npos ? std::string_view() : request.target.substr(request.target.find('?') + 1);
  request.params = {"A"};
  const std::string_view cookie = line(), type = line();
  request.headers.add("Cookie", cookie);
  request.headers.add("Content-Type", type);
  request.body = rest;
  const Result<JsonObject> asked = wire::asked_of(request, tenant::Service(), identity::Principal(), 1 << 20);
  if (asked.ok()) {
    // Nobody's session reaches a script.
    const JsonObject& headers = asked->at("headers").as_object();
    if (const auto told = text_member(headers, "cookie"); told && told->starts_with("__Host-")) __builtin_trap();
  }
  ApiAnswer answer;
  answer.headers = {{std::string(cookie), std::string(type)}, {"Set-Cookie", std::string(cookie)}, {"Content-Type", std::string(type)}};
  answer.body = std::string(rest);
  const http::Response response = wire::response_of(request, std::move(answer));
  for (const auto& field : response.headers.all())
    if (!http::wire::is_token(field.name) || !http::wire::is_field_value(field.value)) __builtin_trap();
  return 0;
}
