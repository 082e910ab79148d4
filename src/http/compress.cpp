#include "http/compress.h"

#include <zlib.h>

#include <optional>

#include "base/url.h"
#include "http/wire/characters.h"

namespace mandate::http {
namespace {

bool worth_it(const Response& response) {
  if (response.status == 204 || response.status == 304 || response.headers.has("Content-Encoding")) return false;
  if (response.body.size() < kLeastCompressed || response.body.size() > kMostCompressed) return false;
  const std::string_view type = response.headers.get("Content-Type");
  return type.starts_with("application/json") || type.starts_with("application/problem+json") || type.starts_with("text/");
}

/// Level 1: table answers shrink to a sixth or so at any level, and the loop has others to serve.
std::optional<std::string> gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!whole || out.size() >= text.size()) return std::nullopt;
  return out;
}

/// Whether the parameters of a coding say it is not wanted: q=0, q=0.000.
bool refused(std::string_view parameters) {
  for (const std::string& each : split(parameters, ';')) {
    const std::string parameter = ascii_lower(wire::trim(each));
    if (parameter.starts_with("q=")) return parameter.find_first_not_of("0.", 2) == std::string::npos;
  }
  return false;
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding) {
  std::optional<bool> named, any;
  for (const std::string& each : split(accept_encoding, ',')) {
    const std::size_t semicolon = std::min(each.find(';'), each.size());
    const std::string coding = ascii_lower(wire::trim(std::string_view(each).substr(0, semicolon)));
    const bool wanted = !refused(std::string_view(each).substr(semicolon));
    if (coding == "gzip" || coding == "x-gzip") named = wanted;
    else if (coding == "*") any = wanted;
  }
  return named.value_or(any.value_or(false));
}

void compress(Response& response, const Request& request) {
  if (!worth_it(response)) return;
  response.headers.add("Vary", "Accept-Encoding");
  if (!takes_gzip(request.headers.get("Accept-Encoding"))) return;
  auto packed = gzip(response.body);
  if (!packed) return;
  response.body = std::move(*packed);
  response.headers.set("Content-Encoding", "gzip");
}

}  // namespace mandate::http
