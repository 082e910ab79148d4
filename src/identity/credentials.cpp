#include "identity/credentials.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/base64.h"
#include "base/url.h"

namespace mandate::identity {
namespace {

/// One pass of AES-256-CBC over `in` with what the old runtime derived from its master key; empty when it fails.
std::string cipher(std::string_view master_key, std::string_view in, bool encrypt) {
  unsigned char key[32], iv[16];
  EVP_BytesToKey(EVP_aes_256_cbc(), EVP_md5(), nullptr, reinterpret_cast<const unsigned char*>(master_key.data()),
                 static_cast<int>(master_key.size()), 1, key, iv);
  struct Free {
    void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
  };
  const std::unique_ptr<EVP_CIPHER_CTX, Free> ctx(EVP_CIPHER_CTX_new());
  std::string out(in.size() + 16, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  int first = 0, last = 0;
  const bool done = EVP_CipherInit_ex(ctx.get(), EVP_aes_256_cbc(), nullptr, key, iv, encrypt ? 1 : 0) == 1 &&
                    EVP_CipherUpdate(ctx.get(), to, &first, reinterpret_cast<const unsigned char*>(in.data()), static_cast<int>(in.size())) == 1 &&
                    EVP_CipherFinal_ex(ctx.get(), to + first, &last) == 1;
  OPENSSL_cleanse(key, sizeof key);
  if (!done) return {};
  out.resize(static_cast<std::size_t>(first + last));
  return out;
}

}  // namespace

std::string encrypt_credentials(std::string_view master_key, std::string_view json) {
  const std::string sealed = cipher(master_key, json, true);
  return sealed.empty() ? std::string() : base64(sealed);
}

std::optional<JsonObject> decrypt_credentials(std::string_view master_key, std::string_view text) {
  const auto bytes = base64_any_decode(text);
  if (!bytes || bytes->empty() || bytes->size() % 16 != 0) return std::nullopt;
  Result<Json> json = parse_json(cipher(master_key, *bytes, false));
  if (!json.ok() || !json->is_object()) return std::nullopt;
  return std::move(json->as_object());
}

std::string identity_key(std::string_view user_id) {
  const std::string provider = ascii_lower(user_id.substr(0, std::min(user_id.find_first_of(":|"), user_id.size())));
  return provider == "microsoftaccount" ? "microsoft" : provider;
}

std::optional<JsonObject> identities_in(const JsonObject& claims, std::string_view user_id, std::string_view master_key) {
  const Json* claim = claims.if_contains(kCredentialsClaim);
  if (!claim) return std::nullopt;
  if (claim->is_object()) return claim->as_object();
  if (!claim->is_string() || user_id.empty()) return std::nullopt;
  std::optional<JsonObject> credentials = decrypt_credentials(master_key, view(claim->as_string()));
  if (!credentials) return std::nullopt;
  // An add-on's token carries the identities of all providers already.
  const bool whole = !credentials->empty() && std::ranges::all_of(*credentials, [](const auto& member) { return member.value().is_object(); });
  if (whole) return credentials;
  JsonObject entry{{"userId", user_id}};
  for (auto& [name, value] : *credentials) entry[name] = std::move(value);
  return JsonObject{{identity_key(user_id), std::move(entry)}};
}

}  // namespace mandate::identity
