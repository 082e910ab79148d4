// ECDSA signatures: JOSE writes r ‖ s of fixed length (RFC 7518 §3.4), OpenSSL a DER SEQUENCE of two INTEGERs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mandate::jose {

/// `raw` is r ‖ s, both of the same length ≤ 66. Minimal DER.
std::string ecdsa_to_der(std::string_view raw);
/// r ‖ s, each `coordinate` bytes; nullopt when the DER is not of that form.
std::optional<std::string> ecdsa_from_der(std::string_view der, std::size_t coordinate);

}  // namespace mandate::jose
