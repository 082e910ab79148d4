#include "tenant/snapshot.h"

#include <charconv>

#include "base/crypto.h"
#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/keys.h"
#include "tenant/secrets.h"

namespace mandate::tenant {

namespace {

class Builder {
 public:
  Builder(const std::string& name, const Vault& vault, Millis now, Problems& problems)
      : vault_(vault), now_(now), problems_(problems), tenant_(std::make_shared<Tenant>()) {
    tenant_->name = name;
  }

  Result<std::shared_ptr<const Tenant>> build(const Objects& objects) {
    for (const auto& [key, object] : objects) CHECK_OK(add(key, object));
    // Tables and scripts sort after their services only by luck of the alphabet, so they are placed at the end.
    for (const auto& [key, object] : objects)
      if (key.kind == kind::kTable) add_table(key, object);
    for (const auto& [key, object] : objects)
      if (key.kind == kind::kScript) add_script(key, object);
    for (const auto& [key, object] : objects) {
      if (key.kind == kind::kServiceCode) add_code(key, object);
      if (key.kind == kind::kRetiredKeys) add_retired_keys(key, object);
    }
    for (auto& [name, service] : tenant_->services) settle_tables(service);
    return std::shared_ptr<const Tenant>(std::move(tenant_));
  }

 private:
  std::string path(const ObjectKey& key) const { return key.kind + "." + key.name; }

  Result<void> add(const ObjectKey& key, const StoredObject& object) {
    Tenant& t = *tenant_;
    const JsonObject& body = object.body;
    if (key.kind == kind::kState) {
      t.revision = object.revision;
      t.epoch = static_cast<std::uint64_t>(integer_member(body, "epoch").value_or(0));
    } else if (key.kind == kind::kSettings) {
      read_settings(body, path(key), problems_, t);
    } else if (key.kind == kind::kConnection) {
      Connection c = read_connection(key.name, body, path(key), problems_);
      if (const auto s = object.sealed.find("options.client_secret"); s != object.sealed.end()) c.options["client_secret"] = s->second;
      t.connections.emplace(key.name, std::move(c));
    } else if (key.kind == kind::kApi) {
      Api api = read_api(key.name, body, path(key), problems_);
      if (const auto s = object.sealed.find("signing_secret"); s != object.sealed.end()) api.signing_secret_sealed = s->second;
      t.apis.emplace(key.name, std::move(api));
    } else if (key.kind == kind::kClient) {
      return add_client(key, object);
    } else if (key.kind == kind::kClientGrant) {
      t.client_grants.push_back(read_client_grant(body, path(key), problems_));
    } else if (key.kind == kind::kDelegationGrant) {
      t.delegation_grants.push_back(read_delegation_grant(body, path(key), problems_));
    } else if (key.kind == kind::kService) {
      add_service(key, object);
    } else if (key.kind == kind::kSigningKey) {
      TRY(std::optional<SigningKey> signing, open_signing_key(key.name, object, vault_, now_));
      if (signing) t.signing_keys.push_back(std::move(*signing));
    }
    return {};
  }

  Result<void> add_client(const ObjectKey& key, const StoredObject& object) {
    Client client = read_client(key.name, object.body, path(key), problems_);
    for (const auto& [place, text] : object.sealed) {
      if (place == "client_secret" || place == kPreviousSecret) {  // in this order
        const std::int64_t expires_at = place == kPreviousSecret ? client.previous_secret_expires_at : 0;
        if (place == kPreviousSecret && expires_at <= 0) continue;
        TRY(const Secret plain, vault_.unseal(text, secret_context(key, place)));
        client.secrets.push_back({token_hash(plain.reveal()), text, expires_at});
      } else if (const std::vector<std::string> parts = split(place, '.'); parts.size() == 3) {
        client.addons[parts[1]][parts[2]] = text;
      }
    }
    tenant_->clients.emplace(key.name, std::move(client));
    return {};
  }

  void add_service(const ObjectKey& key, const StoredObject& object) {
    Service service = read_service(key.name, object.body, path(key), problems_);
    for (const auto& [place, text] : object.sealed) {
      if (place == "application_key") service.application_key_sealed = text;
      if (place == "master_key") service.master_key_sealed = text;
      if (place == "previous_master_key") service.previous_master_key_sealed = text;
      if (place == "system_key") service.system_key_sealed = text;
      if (place == "push.apns.key") service.push.apns.key_sealed = text;
      if (place == "push.fcm.service_account") service.push.fcm.service_account_sealed = text;
      if (place == "push.wns.client_secret") service.push.wns.client_secret_sealed = text;
      if (place == kWebPushKey) service.push.webpush.private_key_sealed = text;
      if (place.starts_with("v2_signing_keys.")) service.v2_signing_keys_sealed.push_back(text);
    }
    if (service.login.enabled) tenant_->service_clients.emplace(service_client_id(service.name), client_of(service));
    tenant_->services.emplace(key.name, std::move(service));
  }

  void add_table(const ObjectKey& key, const StoredObject& object) {
    const std::size_t slash = key.name.find('/');
    const auto service = tenant_->services.find(key.name.substr(0, slash));
    if (slash == std::string::npos || service == tenant_->services.end()) return;
    JsonObject body = object.body;
    std::string name(text_member(body, "name").value_or(key.name.substr(slash + 1)));
    body.erase("name");
    service->second.tables.emplace(key.name.substr(slash + 1), read_table(name, body, path(key), problems_));
  }

  void add_script(const ObjectKey& key, const StoredObject& object) {
    const std::vector<std::string> parts = split(key.name, '/');
    if (parts.size() != 3) return;
    const auto service = tenant_->services.find(parts[0]);
    if (service == tenant_->services.end()) return;
    const auto table = service->second.tables.find(parts[1]);
    if (table == service->second.tables.end()) return;
    table->second.scripts[parts[2]] = {std::string(text_member(object.body, "source").value_or("")), object.revision};
  }

  void add_code(const ObjectKey& key, const StoredObject& object) {
    const auto service = tenant_->services.find(key.name);
    if (service == tenant_->services.end()) return;
    read_service_code(object.body, path(key), problems_, service->second);
    if (service->second.push.permission.empty()) service->second.push.permission = service->second.code.push_permission;
  }

  void add_retired_keys(const ObjectKey& key, const StoredObject& object) {
    const auto service = tenant_->services.find(key.name);
    if (service == tenant_->services.end()) return;
    for (const auto& [field, text] : object.sealed)
      service->second.retired_keys.push_back({field.substr(0, field.find('.')), text, integer_member(object.body, field).value_or(0)});
  }

  /// What a service says for all its tables, where a table says nothing of its own.
  static void settle_tables(Service& service) {
    const auto dynamic = service.settings.find("MS_DynamicSchemaEnabled");
    const bool off = dynamic != service.settings.end() && iequals(dynamic->second, "false");
    std::int64_t page = 0;
    if (const auto size = service.settings.find("pageSize"); size != service.settings.end())
      std::from_chars(size->second.data(), size->second.data() + size->second.size(), page);
    for (auto& [name, table] : service.tables) {
      if (off) table.dynamic_schema = false;
      if (page > 0 && !table.page_size) table.page_size = page;
    }
  }

  const Vault& vault_;
  Millis now_;
  Problems& problems_;
  std::shared_ptr<Tenant> tenant_;
};

}  // namespace

Result<std::shared_ptr<const Tenant>> build_snapshot(const std::string& name, const Objects& objects, const Vault& vault,
                                                     Millis now, Problems& problems) {
  return Builder(name, vault, now, problems).build(objects);
}

}  // namespace mandate::tenant
