#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "http/server.h"

namespace mandate::http {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key make_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

bool extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value), X509_EXTENSION_free);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// `issuer` null: self-signed.
Certificate make_certificate(const char* common_name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                             std::int64_t now, std::int64_t days, Random& random) {
  Certificate none(nullptr, X509_free), made(X509_new(), X509_free);
  if (!made) return none;
  std::string serial = random.bytes(16);
  serial[0] = static_cast<char>((serial[0] & 0x7F) | 0x40);  // positive, and never with a leading zero
  std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), static_cast<int>(serial.size()), nullptr), BN_free);
  X509_NAME* subject = X509_get_subject_name(made.get());
  const bool named =
      number && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get())) &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name), -1,
                                 -1, 0) == 1 &&
      X509_set_issuer_name(made.get(), issuer ? X509_get_subject_name(issuer) : subject) == 1 &&
      ASN1_TIME_set(X509_getm_notBefore(made.get()), now - kDay) &&
      ASN1_TIME_set(X509_getm_notAfter(made.get()), now + days * kDay) && X509_set_pubkey(made.get(), key) == 1;
  if (!named) return none;
  X509* signer = issuer ? issuer : made.get();
  bool extended = extend(made.get(), signer, NID_subject_key_identifier, "hash");
  if (issuer) {
    extended = extended && extend(made.get(), signer, NID_authority_key_identifier, "keyid:always") &&
               extend(made.get(), signer, NID_basic_constraints, "critical,CA:FALSE") &&
               extend(made.get(), signer, NID_key_usage, "critical,digitalSignature") &&
               extend(made.get(), signer, NID_ext_key_usage, "serverAuth") &&
               extend(made.get(), signer, NID_subject_alt_name, "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1");
  } else {
    extended = extended && extend(made.get(), signer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               extend(made.get(), signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  if (!extended || X509_sign(made.get(), issuer_key, EVP_sha256()) == 0) return none;
  return made;
}

/// Writes through `write` into a new file of that mode, complete or not at all.
template <class Write>
bool write_pem(const std::string& path, mode_t mode, Write write) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return false;
  std::FILE* file = ::fdopen(fd, "w");
  const bool written = write(file) == 1;
  return std::fclose(file) == 0 && written && ::rename(fresh.c_str(), path.c_str()) == 0;
}

}  // namespace

Result<void> ensure_dev_certificate(const std::string& directory, const Clock& clock, Random& random) {
  const std::string ca_file = directory + "/ca.pem", file = directory + "/server.pem", key_file = directory + "/server.key";
  if (::access(ca_file.c_str(), R_OK) == 0 && ::access(file.c_str(), R_OK) == 0 && ::access(key_file.c_str(), R_OK) == 0)
    return {};
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  // The CA's key is forgotten at once: nobody can ever sign another certificate with what a developer trusts here.
  const Key ca_key = make_key(), key = make_key();
  if (!ca_key || !key) return Error(Code::server_error, {}, "cannot make a key");
  const std::int64_t now = clock.now_seconds();
  const Certificate ca = make_certificate("Mandate development CA", ca_key.get(), nullptr, ca_key.get(), now, 730, random);
  if (!ca) return Error(Code::server_error, {}, "cannot make the development CA");
  const Certificate leaf = make_certificate("localhost", key.get(), ca.get(), ca_key.get(), now, 730, random);
  if (!leaf) return Error(Code::server_error, {}, "cannot make the development certificate");
  const bool written =
      write_pem(key_file, 0600,
                [&](std::FILE* f) { return PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr); }) &&
      write_pem(file, 0644,
                [&](std::FILE* f) { return PEM_write_X509(f, leaf.get()) == 1 ? PEM_write_X509(f, ca.get()) : 0; }) &&
      write_pem(ca_file, 0644, [&](std::FILE* f) { return PEM_write_X509(f, ca.get()); });
  if (!written) return Error(Code::server_error, "The development certificate cannot be written.", directory);
  return {};
}

}  // namespace mandate::http
