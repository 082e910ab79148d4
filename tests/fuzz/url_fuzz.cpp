// URLs of strangers: parsing is total, and what is taken apart stays within the text.
#include <cstdlib>

#include "base/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mandate;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto url = parse_url(text)) {
    if (url->scheme.empty() || url->scheme != ascii_lower(url->scheme)) std::abort();
    if (url->host.find('@') != std::string::npos || url->host.find('/') != std::string::npos) std::abort();
    if (url->port && (*url->port < 1 || *url->port > 65535)) std::abort();
    (void)url->origin();
  }
  if (percent_decode(percent_encode(text)) != text) std::abort();
  std::string joined = "http://a/";
  append_query(joined, text, text);
  const auto back = parse_url(joined);
  if (!back || parse_form(back->query).empty()) std::abort();
  (void)parse_form(text);
  (void)html_escape(text);
  return 0;
}
