// Stray bytes as keys: no crash; a key that is accepted can be shown and read again.
#include <cstdlib>

#include "jose/jws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace jose = mandate::jose;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const jose::Alg alg : {jose::Alg::RS256, jose::Alg::ES256, jose::Alg::EdDSA}) (void)jose::Key::from_pem(text, alg);
  const auto json = mandate::parse_json(text);
  if (!json.ok() || !json->is_object()) return 0;
  (void)jose::keys_of_jwks(json->get_object());
  const auto key = jose::Key::from_jwk(json->get_object());
  if (!key.ok()) return 0;
  const mandate::JsonObject shown = key->public_jwk();
  if (jose::symmetric(key->alg())) {
    if (!shown.empty()) std::abort();
    return 0;
  }
  const auto again = jose::Key::from_jwk(shown);
  if (!again.ok() || again->has_private() || again->thumbprint() != key->thumbprint()) std::abort();
  return 0;
}
