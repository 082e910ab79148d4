// May we send the browser there? (identity-wire 0.3 #10, OA-1, RFC 8252 §7.3, RFC 9700 §4.1)
#pragma once

#include <string>
#include <string_view>

#include "tenant/tenant.h"

namespace mandate::oauth {

/// True when `received` is a callback of the client. Byte for byte, but for
///  - "*" as the first label of a registered host: one label of letters, digits and dashes;
///  - the port of http://127.0.0.1 and http://[::1], native clients only;
///  - {issuer}mobile and {issuer}win8, which every native client has;
///  - scheme and host without case, legacy clients only.
bool redirect_uri_allowed(const tenant::Client& client, std::string_view issuer, std::string_view received);

/// The callback when the request names none: the first registered without a wildcard; empty when there is
/// none.
std::string default_redirect_uri(const tenant::Client& client);

/// {issuer}mobile or {issuer}win8: read by embedded browsers that want errors in query and fragment and no
/// decoding.
bool is_mobile_callback(std::string_view issuer, std::string_view redirect_uri);

/// scheme://host[:port] as sent, for CSP and postMessage; empty for custom schemes.
std::string web_origin(std::string_view redirect_uri);

}  // namespace mandate::oauth
