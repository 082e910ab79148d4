// Keys and certificates as PEM, and the self-signed certificate of a signing key.
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/crypto.h"
#include "jose/jwk.h"
#include "jose/key_impl.h"

namespace mandate::jose {
namespace {

BioPtr reader(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string written(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string();
}

// An encrypted PEM must fail; without this OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) { return -1; }

}  // namespace

Result<Key> Key::from_pem(std::string_view pem, Alg alg, std::string kid) {
  const QuietErrors quiet;
  if (symmetric(alg)) return Error(Code::invalid_request, "The key cannot be used.", "a PEM key for an HMAC algorithm");
  if (pem.size() > 64 * 1024) return Error(Code::invalid_request, "The key cannot be used.", "PEM too long");
  PkeyPtr pkey(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, no_password, nullptr));
  const bool has_private = pkey != nullptr;
  if (!pkey) pkey.reset(PEM_read_bio_PUBKEY(reader(pem).get(), nullptr, no_password, nullptr));
  if (!pkey)
    if (const X509Ptr certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, no_password, nullptr)); certificate)
      pkey.reset(X509_get_pubkey(certificate.get()));
  if (!pkey) return Error(Code::invalid_request, "The key cannot be used.", "no readable PEM key");
  TRY(std::shared_ptr<Impl> impl, adopt(std::move(pkey), has_private, alg, std::move(kid)));
  return Key(std::move(impl));
}

std::string Key::private_pem() const {
  if (!impl_->pkey || !impl_->has_private) return {};
  const BioPtr out(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), impl_->pkey.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return written(out.get());
}

std::string Key::public_pem() const {
  if (!impl_->pkey) return {};
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), impl_->pkey.get());
  return written(out.get());
}

Result<std::string> self_signed_certificate(const Key& key, std::string_view common_name, std::int64_t not_before_seconds,
                                            std::int64_t years) {
  const QuietErrors quiet;
  EVP_PKEY* pkey = key.impl().pkey.get();
  if (!pkey || !key.has_private()) return Error(Code::server_error, "", "a certificate needs a private asymmetric key");
  const X509Ptr certificate(X509_new());
  X509* const x = certificate.get();
  X509_set_version(x, X509_VERSION_3);

  // The serial follows from key and time, so that the same key made into a certificate twice gives the same bytes.
  std::string serial = sha256(key.thumbprint() + std::to_string(not_before_seconds)).substr(0, 16);
  serial[0] = static_cast<char>((serial[0] & 0x7F) | 0x40);
  const BnPtr number(BN_bin2bn(bytes(serial), static_cast<int>(serial.size()), nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x));

  ASN1_TIME_set(X509_getm_notBefore(x), static_cast<time_t>(not_before_seconds));
  ASN1_TIME_set(X509_getm_notAfter(x), static_cast<time_t>(not_before_seconds + years * 365 * 86'400));
  const std::string cn(common_name.substr(0, 64));  // RFC 5280 ub-common-name
  X509_NAME* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, bytes(cn), static_cast<int>(cn.size()), -1, 0);
  X509_set_issuer_name(x, subject);
  X509_set_pubkey(x, pkey);
  if (X509_sign(x, pkey, digest(key.alg())) <= 0) return Error(Code::server_error, "", "certificate could not be signed");

  unsigned char* der = nullptr;
  const int length = i2d_X509(x, &der);
  if (length <= 0) return Error(Code::server_error, "", "certificate could not be encoded");
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

std::string certificate_pem(std::string_view der) {
  const QuietErrors quiet;
  const unsigned char* p = bytes(der);
  const X509Ptr certificate(d2i_X509(nullptr, &p, static_cast<long>(der.size())));
  if (!certificate) return {};
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate.get());
  return written(out.get());
}

}  // namespace mandate::jose
