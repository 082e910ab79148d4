#include "jose/jws.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "jose/der.h"
#include "jose/key_impl.h"

namespace mandate::jose {
namespace {

constexpr std::size_t kMostTokenBytes = 8 * 1024;

Error refuse(std::string why) { return Error(Code::invalid_token, "The token is not valid.", std::move(why)); }

std::optional<std::string> mac(const Key::Impl& key, std::string_view input) {
  Borrowed contexts(key);
  if (!contexts->mac) {
    contexts->mac.reset(EVP_MAC_CTX_new(hmac_mac()));
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(info(key.alg).digest), 0), OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(contexts->mac.get(), bytes(key.secret), key.secret.size(), params) != 1) {
      contexts->mac.reset();
      return std::nullopt;
    }
  } else if (EVP_MAC_init(contexts->mac.get(), nullptr, 0, nullptr) != 1) {
    contexts->mac.reset();
    return std::nullopt;
  }
  std::string out(info(key.alg).hash_bytes, '\0');
  std::size_t length = 0;
  if (EVP_MAC_update(contexts->mac.get(), bytes(input), input.size()) != 1 ||
      EVP_MAC_final(contexts->mac.get(), bytes(out), &length, out.size()) != 1 || length != out.size()) {
    contexts->mac.reset();
    return std::nullopt;
  }
  return out;
}

bool hash(Contexts& contexts, Alg alg, std::string_view input, unsigned char* out) {
  if (!contexts.md) contexts.md.reset(EVP_MD_CTX_new());
  return EVP_DigestInit_ex2(contexts.md.get(), digest(alg), nullptr) == 1 &&
         EVP_DigestUpdate(contexts.md.get(), input.data(), input.size()) == 1 &&
         EVP_DigestFinal_ex(contexts.md.get(), out, nullptr) == 1;
}

/// A context that can sign or verify hashes of this algorithm again and again.
PkeyCtxPtr prepared(const Key::Impl& key, bool signing) {
  PkeyCtxPtr ctx(EVP_PKEY_CTX_new(key.pkey.get(), nullptr));
  if (!ctx || (signing ? EVP_PKEY_sign_init(ctx.get()) : EVP_PKEY_verify_init(ctx.get())) != 1) return nullptr;
  const Family family = info(key.alg).family;
  if (family == Family::rsa_pss) {
    if (EVP_PKEY_CTX_set_rsa_padding(ctx.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx.get(), RSA_PSS_SALTLEN_DIGEST) != 1)
      return nullptr;
  } else if (family == Family::rsa_pkcs1 && EVP_PKEY_CTX_set_rsa_padding(ctx.get(), RSA_PKCS1_PADDING) != 1) {
    return nullptr;
  }
  if (EVP_PKEY_CTX_set_signature_md(ctx.get(), digest(key.alg)) != 1) return nullptr;
  if (family == Family::rsa_pss && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx.get(), digest(key.alg)) != 1) return nullptr;
  return ctx;
}

std::optional<std::string> sign_hash(const Key::Impl& key, std::string_view input) {
  Borrowed contexts(key);
  unsigned char hashed[EVP_MAX_MD_SIZE];
  if (!contexts->sign) contexts->sign = prepared(key, true);
  std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(key.pkey.get())), '\0');
  std::size_t length = out.size();
  if (!contexts->sign || !hash(*contexts.operator->(), key.alg, input, hashed) ||
      EVP_PKEY_sign(contexts->sign.get(), bytes(out), &length, hashed, info(key.alg).hash_bytes) != 1) {
    contexts->sign.reset();
    return std::nullopt;
  }
  out.resize(length);
  if (info(key.alg).family != Family::ecdsa) return out;
  return ecdsa_from_der(out, info(key.alg).coordinate);
}

bool verify_hash(const Key::Impl& key, std::string_view input, std::string_view signature) {
  std::string der;
  if (info(key.alg).family == Family::ecdsa) {
    if (signature.size() != 2 * info(key.alg).coordinate) return false;
    der = ecdsa_to_der(signature);
    signature = der;
  } else if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.pkey.get()))) {
    return false;
  }
  Borrowed contexts(key);
  unsigned char hashed[EVP_MAX_MD_SIZE];
  if (!contexts->verify) contexts->verify = prepared(key, false);
  if (!contexts->verify || !hash(*contexts.operator->(), key.alg, input, hashed)) {
    contexts->verify.reset();
    return false;
  }
  return EVP_PKEY_verify(contexts->verify.get(), bytes(signature), signature.size(), hashed, info(key.alg).hash_bytes) == 1;
}

std::optional<std::string> sign_eddsa(const Key::Impl& key, std::string_view input) {
  const MdCtxPtr ctx(EVP_MD_CTX_new());
  std::string out(64, '\0');
  std::size_t length = out.size();
  if (EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr, key.pkey.get()) != 1 ||
      EVP_DigestSign(ctx.get(), bytes(out), &length, bytes(input), input.size()) != 1 || length != out.size())
    return std::nullopt;
  return out;
}

bool verify_eddsa(const Key::Impl& key, std::string_view input, std::string_view signature) {
  const MdCtxPtr ctx(EVP_MD_CTX_new());
  return signature.size() == 64 && EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, key.pkey.get()) == 1 &&
         EVP_DigestVerify(ctx.get(), bytes(signature), signature.size(), bytes(input), input.size()) == 1;
}

Result<void> check_kid(Parts& parts, KidForm form) {
  const Json* kid = parts.header.if_contains("kid");
  if (!kid) return {};
  if (form == KidForm::text_or_number && (kid->is_int64() || kid->is_uint64())) return {};
  if (!kid->is_string() || kid->get_string().size() > 128) return refuse("kid");
  parts.kid = view(kid->get_string());
  for (const unsigned char c : parts.kid)
    if (c < 0x20 || c == 0x7F) return refuse("control character in kid");
  return {};
}

}  // namespace

Result<std::string> sign_compact(const Key& key, std::string_view header_json, std::string_view payload) {
  if (!key.has_private()) return Error(Code::server_error, "", "signing with a public key");
  if (symmetric(key.alg()) && key.impl().secret.empty()) return Error(Code::server_error, "", "signing with an empty secret");
  const QuietErrors quiet;
  std::string token;
  token.reserve((header_json.size() + payload.size()) * 4 / 3 + 360);
  append_base64url(token, header_json);
  token += '.';
  append_base64url(token, payload);
  const Family family = info(key.alg()).family;
  const auto signature = family == Family::hmac    ? mac(key.impl(), token)
                         : family == Family::eddsa ? sign_eddsa(key.impl(), token)
                                                   : sign_hash(key.impl(), token);
  if (!signature) return Error(Code::server_error, "", "signing failed");
  token += '.';
  append_base64url(token, *signature);
  return token;
}

Result<Parts> parse_compact(std::string_view token, KidForm kid_form) {
  if (token.size() > kMostTokenBytes) return refuse("token too long");
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return refuse("not three parts");
  if (first == 0 || second + 1 == token.size()) return refuse("an empty part");

  const auto header = base64url_decode(token.substr(0, first));
  auto payload = base64url_decode(token.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(token.substr(second + 1));
  if (!header || !payload || !signature) return refuse("not base64url");

  static constexpr JsonLimits kHeaderLimits{.bytes = kMostTokenBytes, .depth = 8, .members = 50, .values = 500, .string_bytes = kMostTokenBytes};
  auto json = parse_json(*header, kHeaderLimits);
  if (!json.ok() || !json->is_object()) return refuse("header is no JSON object");
  Parts parts;
  parts.header = std::move(json->get_object());
  for (const char* unsupported : {"crit", "b64", "zip", "enc"})
    if (parts.header.contains(unsupported)) return refuse(std::string("header has ") + unsupported);
  const auto alg = text_member(parts.header, "alg");
  if (!alg) return refuse("no alg");
  if (const Json* typ = parts.header.if_contains("typ"); typ && !typ->is_string()) return refuse("typ is no text");
  parts.alg = alg_of(*alg);
  CHECK_OK(check_kid(parts, kid_form));
  parts.payload = std::move(*payload);
  parts.signing_input = token.substr(0, second);
  parts.signature = std::move(*signature);
  return parts;
}

bool verify(const Parts& parts, const Key& key) {
  if (!parts.alg || *parts.alg != key.alg()) return false;
  const QuietErrors quiet;
  switch (info(key.alg()).family) {
    case Family::hmac: {
      if (key.impl().secret.empty()) return false;
      const auto right = mac(key.impl(), parts.signing_input);
      return right && right->size() == parts.signature.size() &&
             CRYPTO_memcmp(right->data(), parts.signature.data(), right->size()) == 0;
    }
    case Family::eddsa: return verify_eddsa(key.impl(), parts.signing_input, parts.signature);
    default: return verify_hash(key.impl(), parts.signing_input, parts.signature);
  }
}

}  // namespace mandate::jose
