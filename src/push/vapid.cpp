#include "push/vapid.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "jose/openssl.h"
#include "tenant/secrets.h"

namespace mandate::push {
namespace {

using jose::BnPtr, jose::Freed, jose::ParamBldPtr, jose::ParamPtr, jose::PkeyCtxPtr, jose::PkeyPtr, jose::QuietErrors, jose::bytes;
using GroupPtr = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, Freed<EC_POINT_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

constexpr std::size_t kScalar = 32, kPoint = 65, kTag = 16;
constexpr std::uint32_t kRecord = 4096;

/// The public point of a private scalar; empty for a scalar out of range.
std::string point_of(std::string_view scalar) {
  const GroupPtr group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const BnPtr d(BN_bin2bn(bytes(scalar), static_cast<int>(scalar.size()), nullptr));
  if (!group || !d || BN_is_zero(d.get()) || BN_cmp(d.get(), EC_GROUP_get0_order(group.get())) >= 0) return {};
  const PointPtr point(EC_POINT_new(group.get()));
  if (!point || EC_POINT_mul(group.get(), point.get(), d.get(), nullptr, nullptr, nullptr) != 1) return {};
  std::string out(kPoint, '\0');
  const std::size_t size = EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, bytes(out), out.size(), nullptr);
  return size == kPoint ? out : std::string();
}

PkeyPtr ec_key(std::string_view point, std::string_view scalar) {
  const ParamBldPtr build(OSSL_PARAM_BLD_new());
  const BnPtr d(scalar.empty() ? nullptr : BN_bin2bn(bytes(scalar), static_cast<int>(scalar.size()), nullptr));
  OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  if (d) OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, d.get());
  const ParamPtr params(OSSL_PARAM_BLD_to_param(build.get()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return PkeyPtr(key);
}

/// Empty when the other's point is not on the curve.
std::string agree(EVP_PKEY* own, EVP_PKEY* other) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  std::string out(kScalar, '\0');
  std::size_t size = out.size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), other) != 1 ||
      EVP_PKEY_derive(context.get(), bytes(out), &size) != 1 || size != kScalar)
    return {};
  return out;
}

/// RFC 5869 with SHA-256, for one block.
std::string hkdf(std::string_view salt, std::string_view secret, std::string info, std::size_t size) {
  info += '\x01';
  return hmac_sha256(hmac_sha256(salt, secret), info).substr(0, size);
}

std::string aes128gcm(std::string_view key, std::string_view nonce, std::string_view plain) {
  const CipherPtr context(EVP_CIPHER_CTX_new());
  std::string out(plain.size() + kTag, '\0');
  int size = 0, last = 0;
  if (EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes(key), bytes(nonce)) != 1 ||
      EVP_EncryptUpdate(context.get(), bytes(out), &size, bytes(plain), static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), bytes(out) + size, &last) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, bytes(out) + plain.size()) != 1)
    return {};
  return out;
}

}  // namespace

Result<jose::Key> vapid_key(std::string_view text) {
  if (text.starts_with("-----")) return jose::Key::from_pem(text, jose::Alg::ES256);
  const QuietErrors quiet;
  const auto scalar = base64_any_decode(text);
  const std::string point = scalar && scalar->size() == kScalar ? point_of(*scalar) : std::string();
  if (point.empty()) return Error(Code::server_error, "", "the key of webpush is neither PEM nor 32 bytes of base64url");
  const JsonObject jwk{{"kty", "EC"}, {"crv", "P-256"}, {"x", base64url(point.substr(1, kScalar))}, {"y", base64url(point.substr(1 + kScalar))},
                       {"d", base64url(*scalar)}};
  return jose::Key::from_jwk(jwk, jose::Alg::ES256);
}

std::string application_server_key(const jose::Key& key) {
  const JsonObject jwk = key.public_jwk();
  const auto x = base64url_decode(text_member(jwk, "x").value_or("")), y = base64url_decode(text_member(jwk, "y").value_or(""));
  return x && y && x->size() == kScalar && y->size() == kScalar ? base64url("\x04" + *x + *y) : std::string();
}

Result<std::string> webpush_public_key(const tenant::Here&, const tenant::Service& service, const tenant::Vault& vault) {
  if (!service.push.webpush.configured || service.push.webpush.private_key_sealed.empty())
    return Error(Code::not_found, "This service does not send to browsers.");
  TRY(const Secret text, vault.unseal(service.push.webpush.private_key_sealed, tenant::sealed::service(service.name, tenant::kWebPushKey)));
  TRY(const jose::Key key, vapid_key(text.reveal()));
  return application_server_key(key);
}

Result<std::string> encrypt_webpush(std::string_view plain, const Subscription& to, std::string_view private_key, std::string_view salt) {
  const QuietErrors quiet;
  const std::string own_point = point_of(private_key);
  if (own_point.empty() || salt.size() != 16) return Error(Code::server_error, "", "not a key or a salt for webpush");
  const PkeyPtr own = ec_key(own_point, private_key), other = ec_key(to.p256dh, {});
  const std::string shared = own && other ? agree(own.get(), other.get()) : std::string();
  if (shared.empty()) return Error(Code::bad_request, "The subscription's p256dh is no point of P-256.");
  using namespace std::string_literals;
  const std::string secret = hkdf(to.auth, shared, "WebPush: info\0"s + to.p256dh + own_point, 32);
  const std::string key = hkdf(salt, secret, "Content-Encoding: aes128gcm\0"s, 16), nonce = hkdf(salt, secret, "Content-Encoding: nonce\0"s, 12);
  std::string out(salt);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>((kRecord >> shift) & 0xFF);
  out += static_cast<char>(kPoint);
  out += own_point;
  out += aes128gcm(key, nonce, std::string(plain) + '\x02');  // the delimiter of the last record
  return out;
}

Result<std::string> encrypt_webpush(std::string_view plain, const Subscription& to, Random& random) {
  std::string scalar = random.bytes(kScalar);
  while (point_of(scalar).empty()) scalar = random.bytes(kScalar);
  return encrypt_webpush(plain, to, scalar, random.bytes(16));
}

}  // namespace mandate::push
