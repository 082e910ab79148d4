#include "jose/jwk.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "jose/key_impl.h"

namespace mandate::jose {
namespace {

struct Named {
  std::string_view name;
  AlgInfo info;
};

constexpr Named kAlgs[] = {
    {"HS256", {Family::hmac, "SHA256", 32, nullptr, 0}},      {"HS384", {Family::hmac, "SHA384", 48, nullptr, 0}},
    {"HS512", {Family::hmac, "SHA512", 64, nullptr, 0}},      {"RS256", {Family::rsa_pkcs1, "SHA256", 32, nullptr, 0}},
    {"RS384", {Family::rsa_pkcs1, "SHA384", 48, nullptr, 0}}, {"RS512", {Family::rsa_pkcs1, "SHA512", 64, nullptr, 0}},
    {"PS256", {Family::rsa_pss, "SHA256", 32, nullptr, 0}},   {"PS384", {Family::rsa_pss, "SHA384", 48, nullptr, 0}},
    {"PS512", {Family::rsa_pss, "SHA512", 64, nullptr, 0}},   {"ES256", {Family::ecdsa, "SHA256", 32, "P-256", 32}},
    {"ES384", {Family::ecdsa, "SHA384", 48, "P-384", 48}},    {"ES512", {Family::ecdsa, "SHA512", 64, "P-521", 66}},
    {"EdDSA", {Family::eddsa, nullptr, 0, "Ed25519", 32}},
};

std::size_t slot_of_this_thread() {
  static std::atomic<std::size_t> next{0};
  static thread_local const std::size_t mine = next.fetch_add(1);
  return mine;
}

Error unfit(std::string why) { return Error(Code::invalid_request, "The key cannot be used.", std::move(why)); }

Result<void> check_rsa(const EVP_PKEY* pkey) {
  BIGNUM* raw = nullptr;
  if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &raw)) return unfit("no modulus");
  const BnPtr n(raw);
  raw = nullptr;
  if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &raw)) return unfit("no exponent");
  const BnPtr e(raw);
  const int bits = BN_num_bits(n.get());
  if (bits < 2048) return unfit("RSA modulus below 2048 bits");
  if (bits > 8192) return unfit("RSA modulus above 8192 bits");
  if (!BN_is_odd(n.get())) return unfit("RSA modulus is even");
  if (!BN_is_odd(e.get()) || BN_is_one(e.get()) || BN_num_bits(e.get()) > 33) return unfit("RSA exponent");
  if (is_roca(n.get())) return unfit("RSA modulus of a broken generator (ROCA)");
  return {};
}

}  // namespace

std::string_view name(Alg alg) { return kAlgs[static_cast<std::size_t>(alg)].name; }
const AlgInfo& info(Alg alg) { return kAlgs[static_cast<std::size_t>(alg)].info; }

std::optional<Alg> alg_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kAlgs); ++i)
    if (kAlgs[i].name == name) return static_cast<Alg>(i);
  return std::nullopt;
}

EVP_MD* digest(Alg alg) {
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  static EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  switch (info(alg).hash_bytes) {
    case 32: return sha256;
    case 48: return sha384;
    case 64: return sha512;
    default: return nullptr;
  }
}

EVP_MAC* hmac_mac() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return mac;
}

Key::Impl::~Impl() {
  OPENSSL_cleanse(secret.data(), secret.size());
  for (Slot& slot : slots_) delete slot.contexts.load();
}

std::unique_ptr<Contexts> Key::Impl::borrow() const {
  Slot& slot = slots_[slot_of_this_thread() % slots_.size()];
  if (Contexts* found = slot.contexts.exchange(nullptr, std::memory_order_acquire)) return std::unique_ptr<Contexts>(found);
  return std::make_unique<Contexts>();
}

void Key::Impl::give_back(std::unique_ptr<Contexts> contexts) const {
  Slot& slot = slots_[slot_of_this_thread() % slots_.size()];
  delete slot.contexts.exchange(contexts.release(), std::memory_order_acq_rel);
}

Result<std::shared_ptr<Key::Impl>> adopt(PkeyPtr pkey, bool has_private, Alg alg, std::string kid) {
  const QuietErrors quiet;
  const AlgInfo& a = info(alg);
  switch (a.family) {
    case Family::hmac: return unfit("an asymmetric key for an HMAC algorithm");
    case Family::rsa_pkcs1:
    case Family::rsa_pss:
      if (!EVP_PKEY_is_a(pkey.get(), "RSA")) return unfit("not an RSA key");
      CHECK_OK(check_rsa(pkey.get()));
      break;
    case Family::ecdsa: {
      if (!EVP_PKEY_is_a(pkey.get(), "EC")) return unfit("not an EC key");
      char group[80] = {};
      std::size_t length = 0;
      if (!EVP_PKEY_get_group_name(pkey.get(), group, sizeof group, &length)) return unfit("EC key without a named curve");
      const std::string_view found(group, length);
      const std::string_view long_name = alg == Alg::ES256 ? "prime256v1" : alg == Alg::ES384 ? "secp384r1" : "secp521r1";
      if (found != a.curve && found != long_name) return unfit("EC key on another curve");
      const PkeyCtxPtr check(EVP_PKEY_CTX_new(pkey.get(), nullptr));
      if (EVP_PKEY_public_check(check.get()) != 1) return unfit("EC point is not on the curve");
      break;
    }
    case Family::eddsa:
      if (!EVP_PKEY_is_a(pkey.get(), "ED25519")) return unfit("not an Ed25519 key");
      break;
  }
  auto impl = std::make_shared<Key::Impl>();
  impl->alg = alg;
  impl->kid = std::move(kid);
  impl->pkey = std::move(pkey);
  impl->has_private = has_private;
  return impl;
}

Key Key::hmac(Alg alg, std::string_view secret, std::string kid) {
  auto impl = std::make_shared<Impl>();
  impl->alg = symmetric(alg) ? alg : Alg::HS256;
  impl->secret = secret;
  impl->kid = std::move(kid);
  impl->has_private = true;
  return Key(std::move(impl));
}

Result<Key> Key::generate(Alg alg, std::string kid) {
  const QuietErrors quiet;
  std::shared_ptr<Impl> impl;
  const AlgInfo& a = info(alg);
  if (a.family == Family::hmac) {
    impl = std::make_shared<Impl>();
    impl->alg = alg;
    impl->secret.resize(a.hash_bytes);
    impl->has_private = true;
    if (RAND_priv_bytes(bytes(impl->secret), static_cast<int>(a.hash_bytes)) != 1) return Error(Code::server_error, "", "no random bytes");
  } else {
    PkeyPtr pkey;
    if (a.family == Family::ecdsa) pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", a.curve));
    else if (a.family == Family::eddsa) pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    else pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
    if (!pkey) return Error(Code::server_error, "", "key generation failed");
    TRY(impl, adopt(std::move(pkey), true, alg, {}));
  }
  if (kid.empty()) kid = Key(impl).thumbprint();
  impl->kid = std::move(kid);
  return Key(std::move(impl));
}

Alg Key::alg() const { return impl_->alg; }
const std::string& Key::kid() const { return impl_->kid; }
bool Key::has_private() const { return impl_->has_private; }

}  // namespace mandate::jose
