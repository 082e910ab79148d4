// Header fields of conditional requests, what a client accepts, and the keys in the token of a next page.
#include "http/compress.h"
#include "http/date.h"
#include "tables/wire/etag.h"
#include "tables/wire/page_token.h"

using namespace mandate;
using namespace mandate::tables::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)read_tags(text, Tags::strong);
  (void)read_tags(text, Tags::weak);
  (void)expected_version(text);
  (void)none_match_hits(text, "AAAAAAAAAAE=");
  (void)http::takes_gzip(text);
  if (const auto seconds = http::parse_http_date(text)) (void)http::http_date(*seconds);
  if (const auto keys = read_page_keys(text); keys.ok()) {
    const auto again = read_page_keys(page_keys(*keys));
    if (!again.ok() || *again != *keys) __builtin_trap();
  }
  return 0;
}
