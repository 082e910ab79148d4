// No bytes a stranger sends as redirect_uri may lead anywhere but to what was registered.
// Input: registered callback, line feed, received redirect_uri.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/url.h"
#include "oauth/redirect_uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mandate;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto cut = all.find('\n');
  if (cut == std::string_view::npos) return 0;
  const std::string registered(all.substr(0, cut));
  const std::string_view received = all.substr(cut + 1);
  for (const bool native : {false, true})
    for (const bool conformant : {false, true}) {
      tenant::Client client;
      client.app_type = native ? "native" : "spa";
      client.oidc_conformant = conformant;
      client.callbacks = {registered};
      if (!oauth::redirect_uri_allowed(client, "https://login.example/", received)) continue;
      if (received.find_first_of("\r\n#\\ ") != std::string_view::npos) std::abort();
      if (received == registered || oauth::is_mobile_callback("https://login.example/", received)) continue;
      // Not the same bytes: then only a case, a label or a loopback port may differ, never the host's end.
      const auto from = parse_url(registered), to = parse_url(received);
      if (!from || !to) continue;
      if (from->scheme != to->scheme || from->path != to->path || from->query != to->query) std::abort();
      if (!iequals(from->userinfo, to->userinfo)) std::abort();
      const bool star = from->host.starts_with("*.");
      const std::string_view suffix = star ? std::string_view(from->host).substr(1) : std::string_view(from->host);
      if (!std::string_view(to->host).ends_with(suffix)) std::abort();
      if (!star && from->host != to->host) std::abort();
    }
  return 0;
}
