// Stray bytes as tokens: no crash, and nothing made up by a stranger verifies.
#include <cstdlib>

#include "jose/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace jose = mandate::jose;
  static const jose::Key hmac = jose::Key::generate(jose::Alg::HS256, "0").value();
  static const jose::Key ec = jose::Key::generate(jose::Alg::ES256, "1").value();
  static const jose::Key ed = jose::Key::generate(jose::Alg::EdDSA, "2").value();
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  for (const auto form : {jose::KidForm::text, jose::KidForm::text_or_number}) {
    const auto parts = jose::parse_compact(token, form);
    if (!parts.ok()) continue;
    for (const jose::Key* key : {&hmac, &ec, &ed})
      if (jose::verify(*parts, *key)) std::abort();
  }
  jose::Expectation expected;
  expected.any_issuer = expected.any_audience = true;
  if (jose::verify_jwt(token, hmac, expected).ok()) std::abort();

  // The same bytes as claims of a token that is really ours.
  jose::Claims claims;
  if (auto json = mandate::parse_json(token); json.ok() && json->is_object()) {
    claims.all = std::move(json->get_object());
    expected.now = 1'700'000'000;
    (void)jose::check_claims(claims, expected);
    (void)claims.aud();
  }
  return 0;
}
