#include "oauth/signing.h"

#include <openssl/evp.h>

#include "base/base64.h"

namespace mandate::oauth {
namespace {

bool uses_rsa(jose::Alg alg) { return alg >= jose::Alg::RS256 && alg <= jose::Alg::PS512; }

const EVP_MD* digest_of(jose::Alg alg) {
  switch (alg) {
    case jose::Alg::HS384:
    case jose::Alg::RS384:
    case jose::Alg::PS384:
    case jose::Alg::ES384:
      return EVP_sha384();
    case jose::Alg::HS512:
    case jose::Alg::RS512:
    case jose::Alg::PS512:
    case jose::Alg::ES512:
    case jose::Alg::EdDSA:
      return EVP_sha512();
    default:
      return EVP_sha256();
  }
}

}  // namespace

Task<std::string> sign(CpuPool& pool, jose::Key key, JsonObject claims, std::string typ, Deadline deadline) {
  if (!uses_rsa(key.alg())) co_return jose::sign_jwt(key, claims, typ);
  std::function<Result<std::string>()> work = [&key, &claims, &typ] {
    return jose::sign_jwt(key, claims, typ);
  };
  Result<std::string> token = co_await pool.run<std::string>(work, deadline);
  co_return token;
}

std::string half_hash(jose::Alg alg, std::string_view token) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(token.data(), token.size(), hash, &size, digest_of(alg), nullptr);
  return base64url(std::string_view(reinterpret_cast<const char*>(hash), size / 2));
}

}  // namespace mandate::oauth
