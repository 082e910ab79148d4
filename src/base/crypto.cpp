#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <memory>
#include <stdexcept>

#include "base/base64.h"

namespace mandate {
namespace {

const unsigned char* u(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* u(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }

constexpr std::size_t kNonce = 12, kTag = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// Fetched once per thread: a fetch by name costs more than the hash (engine.md §1).
EVP_MD_CTX* digest_context() {
  struct Holder {
    EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_MD_CTX* ctx = EVP_MD_CTX_new();
    ~Holder() { EVP_MD_CTX_free(ctx), EVP_MD_free(md); }
  };
  static thread_local Holder holder;
  if (EVP_DigestInit_ex(holder.ctx, holder.md, nullptr) != 1) throw std::runtime_error("SHA256 unavailable");
  return holder.ctx;
}

}  // namespace

Secret::~Secret() {
  if (!text_.empty()) sodium_memzero(text_.data(), text_.size());
}

bool secret_equal(std::string_view a, std::string_view b) {
  const std::string ha = sha256(a), hb = sha256(b);
  return CRYPTO_memcmp(ha.data(), hb.data(), ha.size()) == 0;
}

std::string sha256(std::string_view bytes) {
  std::string out(32, '\0');
  EVP_MD_CTX* ctx = digest_context();
  EVP_DigestUpdate(ctx, bytes.data(), bytes.size());
  EVP_DigestFinal_ex(ctx, u(out), nullptr);
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string out(32, '\0');
  unsigned length = 32;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), u(bytes), bytes.size(), u(out), &length))
    throw std::runtime_error("HMAC failed");
  return out;
}

std::string token_hash(std::string_view token) { return base64url(sha256(token)); }

std::string seal(std::string_view key, std::string_view plain, std::string_view context, Random& random) {
  if (key.size() != 32) throw std::invalid_argument("seal: key must be 32 bytes");
  std::string out = random.bytes(kNonce);
  out.resize(kNonce + plain.size() + kTag);
  const Cipher ctx(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int n = 0;
  bool good = EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, u(key), u(out)) == 1;
  good = good && EVP_EncryptUpdate(ctx.get(), nullptr, &n, u(context), static_cast<int>(context.size())) == 1;
  good = good && EVP_EncryptUpdate(ctx.get(), u(out) + kNonce, &n, u(plain), static_cast<int>(plain.size())) == 1;
  good = good && EVP_EncryptFinal_ex(ctx.get(), u(out) + kNonce + n, &n) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, kTag, u(out) + kNonce + plain.size()) == 1;
  if (!good) throw std::runtime_error("AES-GCM failed");
  return out;
}

Result<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view context) {
  const Error refused(Code::corrupt, "", "a sealed value does not open with this key and context");
  if (key.size() != 32 || sealed.size() < kNonce + kTag) return refused;
  std::string out(sealed.size() - kNonce - kTag, '\0');
  std::string tag(sealed.substr(sealed.size() - kTag));
  const Cipher ctx(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int n = 0;
  bool good = EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, u(key), u(sealed)) == 1;
  good = good && EVP_DecryptUpdate(ctx.get(), nullptr, &n, u(context), static_cast<int>(context.size())) == 1;
  good = good && EVP_DecryptUpdate(ctx.get(), u(out), &n, u(sealed) + kNonce, static_cast<int>(out.size())) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1;
  good = good && EVP_DecryptFinal_ex(ctx.get(), u(out) + n, &n) == 1;
  if (!good) return refused;
  return out;
}

}  // namespace mandate
