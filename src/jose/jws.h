// Signatures. RFC 7515 compact form.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "jose/jwk.h"

namespace mandate::jose {

/// Signs `payload` with the header text as given (members in the order written). server_error for a public-only key.
Result<std::string> sign_compact(const Key& key, std::string_view header_json, std::string_view payload);

struct Parts {
  JsonObject header;
  std::string payload;
  std::string_view signing_input;
  std::string signature;
  std::optional<Alg> alg;  ///< what the header says; nullopt when unknown
  std::string_view kid;    ///< view into header; empty when absent
};
/// Mobile services of 2013 wrote kid as the number 0 (mobile-backend-wire 4.1); such a kid counts as absent.
enum class KidForm { text, text_or_number };

/// Cuts and decodes without verifying; ≤ 8 KiB, three parts, strict base64url and JSON, no crit, no b64, no zip,
/// kid a text ≤ 128 bytes without control characters. invalid_token otherwise, in < 1 ms (TK-7).
/// The Parts refer to `token`.
Result<Parts> parse_compact(std::string_view token, KidForm kid_form = KidForm::text);

/// True when the signature is right. The key's own algorithm decides; the header's must be the same (TK-1).
bool verify(const Parts& parts, const Key& key);

}  // namespace mandate::jose
