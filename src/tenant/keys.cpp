#include "tenant/keys.h"

#include "base/base64.h"
#include "tenant/secrets.h"

namespace mandate::tenant {

namespace {
constexpr std::int64_t kLeastVerifySeconds = 30 * 86'400;  // no setting allows a longer token

std::string_view state_of(const StoredObject& object) { return text_member(object.body, "state").value_or(""); }
bool expired(const StoredObject& object, Millis now) {
  return state_of(object) == "previous" && integer_member(object.body, "verify_until").value_or(0) <= now;
}
bool signs_with(const ObjectKey& key, const JsonObject& body, std::string_view alg) {
  if (key.kind == kind::kApi) return text_member(body, "signing_alg") == alg;
  if (key.kind == kind::kSigningKey) return text_member(body, "alg") == alg;
  if (key.kind != kind::kClient) return false;
  const Json* jwt = body.if_contains("jwt_configuration");
  return jwt && jwt->is_object() && text_member(jwt->get_object(), "alg") == alg;
}
}  // namespace

std::vector<jose::Alg> signing_algs(const Objects& objects) {
  std::vector<jose::Alg> out(std::begin(kSigningAlgs), std::end(kSigningAlgs));
  for (const auto& [key, object] : objects)
    if (signs_with(key, object.body, jose::name(jose::Alg::PS256))) return out.push_back(jose::Alg::PS256), out;
  return out;
}

Result<std::pair<ObjectKey, StoredObject>> make_signing_key(jose::Alg alg, std::string_view state, std::string_view common_name,
                                                            const Vault& vault, Millis now) {
  TRY(const jose::Key key, jose::Key::generate(alg));
  TRY(const std::string certificate, jose::self_signed_certificate(key, common_name, now / 1000));
  ObjectKey where{std::string(kind::kSigningKey), key.kid()};
  StoredObject object;
  object.body = {{"alg", jose::name(alg)}, {"state", state}, {"certificate", base64(certificate)}, {"made_at", now}};
  object.sealed["private"] = vault.seal(key.private_pem(), secret_context(where, "private"));
  return std::pair{std::move(where), std::move(object)};
}

Result<std::optional<SigningKey>> open_signing_key(const std::string& kid, const StoredObject& object, const Vault& vault, Millis now) {
  if (expired(object, now)) return std::optional<SigningKey>();
  const std::optional<jose::Alg> alg = jose::alg_of(text_member(object.body, "alg").value_or(""));
  const auto sealed = object.sealed.find("private");
  if (!alg || sealed == object.sealed.end()) return Error(Code::corrupt, "", "signing key " + kid + " is incomplete");
  TRY(const Secret pem, vault.unseal(sealed->second, sealed::signing_key(kid)));
  TRY(jose::Key key, jose::Key::from_pem(pem.reveal(), *alg, kid));
  std::string certificate = base64_any_decode(text_member(object.body, "certificate").value_or("")).value_or("");
  return std::optional<SigningKey>(SigningKey{std::move(key), std::move(certificate), std::string(state_of(object))});
}

std::int64_t longest_token_lifetime(const Tenant& tenant) {
  std::int64_t longest = kLeastVerifySeconds;
  for (const auto& [id, client] : tenant.clients) longest = std::max(longest, client.lifetime_in_seconds);
  for (const auto& [id, api] : tenant.apis) longest = std::max({longest, api.token_lifetime, api.token_lifetime_for_web});
  for (const auto& [name, service] : tenant.services) longest = std::max(longest, service.login.token_lifetime);
  return longest + 60;  // the leeway of TK-6
}

void plan_rotation(const Objects& objects, jose::Alg alg, std::pair<ObjectKey, StoredObject> fresh, std::int64_t verify_seconds,
                   bool revoke, std::uint64_t revision, Millis now, std::vector<store::Mutation>& out) {
  for (const auto& [key, object] : objects) {
    if (key.kind != kind::kSigningKey || text_member(object.body, "alg") != jose::name(alg)) continue;
    const std::string_view state = state_of(object);
    if (expired(object, now) || (revoke && state == "current")) {
      out.push_back(remove_object(key));
      continue;
    }
    if (state == "previous") continue;
    StoredObject moved = object;
    moved.revision = revision;
    moved.body["state"] = state == "next" ? "current" : "previous";
    if (state == "current") moved.body["verify_until"] = now + verify_seconds * 1000;
    out.push_back(write_object(key, moved));
  }
  fresh.second.revision = revision;
  out.push_back(write_object(fresh.first, fresh.second));
}

}  // namespace mandate::tenant
