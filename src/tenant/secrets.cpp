#include "tenant/secrets.h"

#include "base/url.h"

namespace mandate::tenant {

namespace {

constexpr std::string_view kServiceKeys[] = {"application_key", "master_key", "previous_master_key", "system_key"};
/// platform, member: below "push" of a service.
constexpr std::pair<std::string_view, std::string_view> kPushKeys[] = {
    {"apns", "key"}, {"fcm", "service_account"}, {"wns", "client_secret"}, {"webpush", "private_key"}};
constexpr std::string_view kWamsKeys[] = {"masterkey", "previous_masterkey"};

void take(JsonObject& from, std::string_view member, std::string path, const std::string& place, Problems& problems,
          PlainSecrets& out) {
  const Json* value = from.if_contains(member);
  if (!value) return;
  if (value->is_null())
    out[path] = std::nullopt;
  else if (!value->is_string())
    problems.add(place + "." + path, "must be text: put it in quotes");
  else if (const std::string_view text = view(value->get_string()); text.empty() || text.size() > 4096)
    problems.add(place + "." + path, "must have 1 to 4096 characters");
  else
    out[path] = Secret(std::string(text));
  from.erase(member);
}

JsonObject* group(JsonObject& from, std::string_view name) {
  Json* member = from.if_contains(name);
  return member && member->is_object() ? &member->get_object() : nullptr;
}

}  // namespace

PlainSecrets take_secrets(std::string_view kind, JsonObject& body, const std::string& path, Problems& problems) {
  PlainSecrets out;
  if (kind == kind::kClient) {
    take(body, "client_secret", "client_secret", path, problems, out);
    take(body, kPreviousSecret, std::string(kPreviousSecret), path, problems, out);
    if (const auto given = out.find(kPreviousSecret); given != out.end() && given->second && !has_place(kind, body, kPreviousSecret))
      problems.add(path + "." + std::string(kPreviousSecret), "needs previous_client_secret_expires_at: when it ends");
    if (JsonObject* addons = group(body, "addons"))
      if (JsonObject* wams = group(*addons, "wams"))
        for (const std::string_view key : kWamsKeys) take(*wams, key, "addons.wams." + std::string(key), path, problems, out);
  } else if (kind == kind::kConnection) {
    if (JsonObject* options = group(body, "options")) take(*options, "client_secret", "options.client_secret", path, problems, out);
  } else if (kind == kind::kApi) {
    take(body, "signing_secret", "signing_secret", path, problems, out);
  } else if (kind == kind::kService) {
    for (const std::string_view key : kServiceKeys) take(body, key, std::string(key), path, problems, out);
    if (JsonObject* push = group(body, "push"))
      for (const auto& [platform, key] : kPushKeys)
        if (JsonObject* settings = group(*push, platform))
          take(*settings, key, "push." + std::string(platform) + "." + std::string(key), path, problems, out);
    // A list: each key signs and verifies at its place, so the whole list is given anew.
    if (const Json* list = body.if_contains("v2_signing_keys"); list && list->is_array()) {
      JsonObject by_index;
      for (std::size_t i = 0; i < list->get_array().size() && i < 8; ++i) by_index[std::to_string(i)] = list->get_array()[i];
      for (std::size_t i = 0; i < 8; ++i) {
        const std::string at = std::to_string(i);
        if (by_index.contains(at))
          take(by_index, at, "v2_signing_keys." + at, path, problems, out);
        else
          out["v2_signing_keys." + at] = std::nullopt;
      }
      body.erase("v2_signing_keys");
    }
  }
  return out;
}

std::string secret_context(const ObjectKey& key, std::string_view path) {
  if (key.kind == kind::kApi) return sealed::api(key.name);
  if (key.kind == kind::kSigningKey) return sealed::signing_key(key.name);
  if (key.kind == kind::kConnection) return sealed::connection(key.name, path.substr(path.rfind('.') + 1));
  if (key.kind == kind::kService)
    return sealed::service(key.name, path.starts_with("v2_signing_keys.") ? "v2_signing_key" : path);
  if (path == "client_secret" || path == kPreviousSecret) return sealed::client_secret(key.name);
  const std::vector<std::string> parts = split(path, '.');  // addons.TYPE.FIELD
  return parts.size() == 3 ? sealed::addon(key.name, parts[1], parts[2]) : std::string();
}

bool has_place(std::string_view kind, const JsonObject& body, std::string_view path) {
  if (kind == kind::kApi) return text_member(body, "signing_alg") == "HS256";
  if (path == kPreviousSecret) return body.contains("previous_client_secret_expires_at");
  if (!path.starts_with("addons.") && !path.starts_with("push.")) return true;
  const std::vector<std::string> parts = split(path, '.');
  const Json* group = body.if_contains(parts[0]);
  return group && group->is_object() && group->get_object().contains(parts[1]);
}

std::vector<std::string> needed_secrets(std::string_view kind, const JsonObject& body) {
  if (kind == kind::kService) {
    std::vector<std::string> keys{"application_key", "master_key"};
    if (has_place(kind, body, kWebPushKey)) keys.emplace_back(kWebPushKey);
    return keys;
  }
  if (kind == kind::kApi && text_member(body, "signing_alg") == "HS256") return {"signing_secret"};
  if (kind != kind::kClient) return {};
  const Json* jwt = body.if_contains("jwt_configuration");
  const bool hs256 = jwt && jwt->is_object() && text_member(jwt->get_object(), "alg") == "HS256";
  const bool confidential = text_member(body, "token_endpoint_auth_method").value_or("none") != "none";
  return hs256 || confidential ? std::vector<std::string>{"client_secret"} : std::vector<std::string>{};
}

Result<void> reveal_secrets(const ObjectKey& key, const StoredObject& object, const Vault& vault, JsonObject& body) {
  for (const auto& [path, text] : object.sealed) {
    TRY(const Secret plain, vault.unseal(text, secret_context(key, path)));
    std::vector<std::string> parts = split(path, '.');
    if (parts.front() == "v2_signing_keys") {
      if (!body.contains("v2_signing_keys")) body["v2_signing_keys"] = JsonArray();
      body["v2_signing_keys"].get_array().emplace_back(plain.reveal());
      continue;
    }
    JsonObject* at = &body;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      Json& next = (*at)[parts[i]];
      if (!next.is_object()) next = JsonObject();
      at = &next.get_object();
    }
    (*at)[parts.back()] = plain.reveal();
  }
  return {};
}

}  // namespace mandate::tenant
