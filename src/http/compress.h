// Answers made smaller on their way (RFC 9110 §8.4, §12.5.3).
#pragma once

#include <cstddef>
#include <string_view>

#include "http/request.h"
#include "http/response.h"

namespace mandate::http {

/// Below this a body costs more to pack than it saves; above that packing would hold the loop for too long.
inline constexpr std::size_t kLeastCompressed = 1 << 10, kMostCompressed = 1 << 20;

/// Packs a JSON or text body with gzip where the client takes it, and says `Vary: Accept-Encoding` on every answer that
/// another client would get packed. An entity tag stays as it is: it names the version, not the bytes. For doors whose answers
/// mix no secret with a caller's own text.
void compress(Response& response, const Request& request);

/// Whether an Accept-Encoding takes gzip: named with a weight above 0, or covered by "*" and not named.
bool takes_gzip(std::string_view accept_encoding);

}  // namespace mandate::http
