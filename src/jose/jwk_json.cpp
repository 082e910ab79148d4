// Keys as JSON: RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 7638.
#include <openssl/core_names.h>
#include <openssl/sha.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "jose/jwk.h"
#include "jose/key_impl.h"

namespace mandate::jose {
namespace {

Error unfit(std::string why) { return Error(Code::invalid_request, "The key cannot be used.", std::move(why)); }

/// A base64url member; an error when absent, not text, empty or badly spelt.
Result<std::string> octets(const JsonObject& jwk, std::string_view member, std::size_t most = 1100) {
  const auto text = text_member(jwk, member);
  if (!text || text->size() > most * 4 / 3 + 4) return unfit("member " + std::string(member));
  auto decoded = base64url_decode(*text);
  if (!decoded || decoded->empty()) return unfit("member " + std::string(member));
  return std::move(*decoded);
}

/// Collects the numbers and bytes of a key for OpenSSL, keeping the numbers alive until the key is built.
class Builder {
 public:
  Builder() : params_(OSSL_PARAM_BLD_new()) {}
  void number(const char* name, std::string_view big_endian) {
    numbers_.emplace_back(BN_bin2bn(bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
    good_ = good_ && OSSL_PARAM_BLD_push_BN(params_.get(), name, numbers_.back().get()) == 1;
  }
  void text(const char* name, const char* value) {
    good_ = good_ && OSSL_PARAM_BLD_push_utf8_string(params_.get(), name, value, 0) == 1;
  }
  void octets(const char* name, std::string_view value) {
    good_ = good_ && OSSL_PARAM_BLD_push_octet_string(params_.get(), name, value.data(), value.size()) == 1;
  }
  PkeyPtr build(const char* type, bool with_private) {
    if (!good_) return nullptr;
    const ParamPtr params(OSSL_PARAM_BLD_to_param(params_.get()));
    const PkeyCtxPtr ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* pkey = nullptr;
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
        EVP_PKEY_fromdata(ctx.get(), &pkey, with_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
      return nullptr;
    return PkeyPtr(pkey);
  }

 private:
  ParamBldPtr params_;
  std::vector<BnPtr> numbers_;
  bool good_ = true;
};

bool consistent(const PkeyPtr& pkey) {
  const PkeyCtxPtr ctx(EVP_PKEY_CTX_new(pkey.get(), nullptr));
  return EVP_PKEY_pairwise_check(ctx.get()) == 1;
}

Result<PkeyPtr> rsa(const JsonObject& jwk, bool with_private) {
  Builder builder;
  TRY(const std::string n, octets(jwk, "n"));
  TRY(const std::string e, octets(jwk, "e", 8));
  builder.number(OSSL_PKEY_PARAM_RSA_N, n);
  builder.number(OSSL_PKEY_PARAM_RSA_E, e);
  if (with_private) {
    if (jwk.contains("oth")) return unfit("RSA key of more than two primes");
    constexpr std::pair<const char*, const char*> kParts[] = {
        {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
        {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1}, {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    for (const auto& [member, param] : kParts) {
      TRY(const std::string part, octets(jwk, member));
      builder.number(param, part);
    }
  }
  PkeyPtr pkey = builder.build("RSA", with_private);
  if (!pkey) return unfit("RSA numbers");
  if (with_private && !consistent(pkey)) return unfit("RSA private part does not belong to the public one");
  return pkey;
}

Result<PkeyPtr> ec(const JsonObject& jwk, bool with_private, const AlgInfo& a) {
  TRY(const std::string x, octets(jwk, "x"));
  TRY(const std::string y, octets(jwk, "y"));
  if (x.size() != a.coordinate || y.size() != a.coordinate) return unfit("EC coordinate length");
  Builder builder;
  builder.text(OSSL_PKEY_PARAM_GROUP_NAME, a.curve);
  const std::string point = "\x04" + x + y;
  builder.octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  if (with_private) {
    TRY(const std::string d, octets(jwk, "d"));
    if (d.size() != a.coordinate) return unfit("EC private length");
    builder.number(OSSL_PKEY_PARAM_PRIV_KEY, d);
  }
  PkeyPtr pkey = builder.build("EC", with_private);
  if (!pkey) return unfit("EC point is not on the curve");
  if (with_private && !consistent(pkey)) return unfit("EC private part does not belong to the public one");
  return pkey;
}

Result<PkeyPtr> okp(const JsonObject& jwk, bool with_private) {
  TRY(const std::string x, octets(jwk, "x"));
  if (x.size() != 32) return unfit("Ed25519 length");
  if (!with_private) {
    PkeyPtr pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(x), x.size()));
    if (!pkey) return unfit("Ed25519 point");
    return pkey;
  }
  TRY(const std::string d, octets(jwk, "d"));
  if (d.size() != 32) return unfit("Ed25519 private length");
  PkeyPtr pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(d), d.size()));
  std::string found(32, '\0');
  std::size_t length = found.size();
  if (!pkey || EVP_PKEY_get_raw_public_key(pkey.get(), bytes(found), &length) != 1 || found != x)
    return unfit("Ed25519 private part does not belong to the public one");
  return pkey;
}

/// The one algorithm of a JWK, from its alg member, what the caller says, or what its type leaves no choice about.
Result<Alg> algorithm(const JsonObject& jwk, std::optional<Alg> given) {
  const std::string_view kty = text_member(jwk, "kty").value_or("");
  const std::string_view crv = text_member(jwk, "crv").value_or("");
  std::optional<Alg> alg = given;
  if (const Json* member = jwk.if_contains("alg")) {
    if (!member->is_string()) return unfit("alg is no text");
    const std::string_view text = view(member->get_string());
    alg = alg_of(text);
    // RFC 7520's readers and many issuers confuse P-521 with a hash size; on that curve it can only mean ES512.
    if (text == "ES521" && crv == "P-521") alg = Alg::ES512;
    if (!alg) return unfit("alg is not a signature algorithm");
    if (given && *given != *alg) return unfit("alg is not the expected one");
  }
  if (!alg) return unfit("no alg");
  const AlgInfo& a = info(*alg);
  const std::string_view needed = a.family == Family::hmac    ? "oct"
                                  : a.family == Family::ecdsa ? "EC"
                                  : a.family == Family::eddsa ? "OKP"
                                                              : "RSA";
  if (kty != needed) return unfit("kty does not fit alg");
  if (a.curve && crv != a.curve) return unfit("crv does not fit alg");
  return *alg;
}

Result<void> check_purpose(const JsonObject& jwk) {
  if (const Json* use = jwk.if_contains("use"); use && (!use->is_string() || view(use->get_string()) != "sig"))
    return unfit("use is not sig");
  if (const Json* ops = jwk.if_contains("key_ops")) {
    if (!ops->is_array()) return unfit("key_ops");
    bool signs = false;
    for (const Json& op : ops->get_array()) signs = signs || (op.is_string() && (op == "sign" || op == "verify"));
    if (!signs) return unfit("key_ops has neither sign nor verify");
  }
  return {};
}

std::string number_member(const EVP_PKEY* pkey, const char* param, std::size_t pad = 0) {
  BIGNUM* raw = nullptr;
  if (!EVP_PKEY_get_bn_param(pkey, param, &raw)) return {};
  const BnPtr number(raw);
  std::string out(pad ? pad : static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2binpad(number.get(), bytes(out), static_cast<int>(out.size()));
  return base64url(out);
}

}  // namespace

Result<Key> Key::from_jwk(const JsonObject& jwk, std::optional<Alg> given) {
  const QuietErrors quiet;
  CHECK_OK(check_purpose(jwk));
  TRY(const Alg alg, algorithm(jwk, given));
  const AlgInfo& a = info(alg);
  std::string kid;
  if (const Json* member = jwk.if_contains("kid")) {
    if (!member->is_string() || member->get_string().size() > 128) return unfit("kid");
    kid = view(member->get_string());
  }
  if (a.family == Family::hmac) {
    TRY(const std::string k, octets(jwk, "k"));
    if (k.size() < a.hash_bytes) return unfit("secret shorter than the hash");
    return hmac(alg, k, std::move(kid));
  }
  const bool with_private = jwk.contains("d");
  PkeyPtr pkey;
  if (a.family == Family::ecdsa) {
    TRY(pkey, ec(jwk, with_private, a));
  } else if (a.family == Family::eddsa) {
    TRY(pkey, okp(jwk, with_private));
  } else {
    TRY(pkey, rsa(jwk, with_private));
  }
  TRY(std::shared_ptr<Impl> impl, adopt(std::move(pkey), with_private, alg, std::move(kid)));
  return Key(std::move(impl));
}

JsonObject Key::public_jwk() const {
  JsonObject jwk;
  const AlgInfo& a = info(alg());
  const EVP_PKEY* pkey = impl_->pkey.get();
  switch (a.family) {
    case Family::hmac: return jwk;
    case Family::rsa_pkcs1:
    case Family::rsa_pss:
      jwk["kty"] = "RSA";
      jwk["n"] = number_member(pkey, OSSL_PKEY_PARAM_RSA_N);
      jwk["e"] = number_member(pkey, OSSL_PKEY_PARAM_RSA_E);
      break;
    case Family::ecdsa:
      jwk["kty"] = "EC";
      jwk["crv"] = a.curve;
      jwk["x"] = number_member(pkey, OSSL_PKEY_PARAM_EC_PUB_X, a.coordinate);
      jwk["y"] = number_member(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, a.coordinate);
      break;
    case Family::eddsa: {
      std::string x(32, '\0');
      std::size_t length = x.size();
      EVP_PKEY_get_raw_public_key(pkey, bytes(x), &length);
      jwk["kty"] = "OKP";
      jwk["crv"] = "Ed25519";
      jwk["x"] = base64url(x);
      break;
    }
  }
  jwk["use"] = "sig";
  jwk["alg"] = name(alg());
  if (!kid().empty()) jwk["kid"] = kid();
  return jwk;
}

std::string Key::thumbprint() const {
  const JsonObject jwk = public_jwk();
  JsonObject needed;  // in the order of RFC 7638 §3.3: by name
  if (symmetric(alg())) {
    needed["k"] = base64url(impl_->secret);
    needed["kty"] = "oct";
  }
  for (const char* member : {"crv", "e", "kty", "n", "x", "y"})
    if (const Json* value = jwk.if_contains(member)) needed[member] = *value;
  return base64url(sha256(to_json(needed)));
}

JsonObject jwks(const std::vector<Key>& keys, const std::vector<std::string>& der_certificates) {
  JsonArray list;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    JsonObject jwk = keys[i].public_jwk();
    if (jwk.empty()) continue;  // TK-14: a symmetric key has no public part
    if (i < der_certificates.size() && !der_certificates[i].empty()) {
      const std::string& der = der_certificates[i];
      std::string sha1(SHA_DIGEST_LENGTH, '\0');
      EVP_Q_digest(nullptr, "SHA1", nullptr, der.data(), der.size(), bytes(sha1), nullptr);
      jwk["x5t"] = base64url(sha1);
      jwk["x5c"] = JsonArray{Json(base64(der))};
    }
    list.push_back(std::move(jwk));
  }
  JsonObject set;
  set["keys"] = std::move(list);
  return set;
}

Result<std::vector<Key>> keys_of_jwks(const JsonObject& jwks) {
  const Json* member = jwks.if_contains("keys");
  if (!member || !member->is_array()) return unfit("no keys");
  if (member->get_array().size() > 100) return unfit("more than 100 keys");
  std::vector<Key> keys;
  std::set<std::string> kids;
  bool secret = false, open = false;
  for (const Json& item : member->get_array()) {
    if (!item.is_object()) return unfit("a key is no object");
    const JsonObject& jwk = item.get_object();
    // A set that mixes secrets with public keys, or names two keys alike, invites confusion: refused as a whole.
    (text_member(jwk, "kty") == "oct" ? secret : open) = true;
    if (secret && open) return unfit("symmetric and asymmetric keys in one set");
    if (const auto kid = text_member(jwk, "kid"); kid && !kids.insert(std::string(*kid)).second) return unfit("a kid occurs twice");
    std::optional<Alg> by_type;
    if (!jwk.contains("alg")) {
      const std::string_view kty = text_member(jwk, "kty").value_or(""), crv = text_member(jwk, "crv").value_or("");
      if (kty == "RSA") by_type = Alg::RS256;
      if (kty == "EC") by_type = crv == "P-256" ? Alg::ES256 : crv == "P-384" ? Alg::ES384 : Alg::ES512;
      if (kty == "OKP") by_type = Alg::EdDSA;
    }
    if (auto key = Key::from_jwk(jwk, by_type); key.ok()) keys.push_back(std::move(key).value());
  }
  return keys;
}

}  // namespace mandate::jose
