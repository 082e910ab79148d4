#include "tenant/departed.h"
#include "tenant/desired.h"
#include "tenant/snapshot.h"

namespace mandate::tenant {

namespace {

constexpr const char* kMasked = "***";

std::string lines_of(const Json& source) {
  if (!source.is_string()) return {};
  const std::string_view text = view(source.get_string());
  const auto breaks = std::count(text.begin(), text.end(), '\n') + (text.ends_with('\n') || text.empty() ? 0 : 1);
  return std::to_string(breaks) + (breaks == 1 ? " line" : " lines");
}

/// Which members differ, groups opened up, lists as wholes.
void compare(const JsonObject& before, const JsonObject& after, const std::string& prefix, std::vector<FieldChange>& out) {
  const auto one = [&](std::string_view name, const Json* a, const Json* b) {
    if (a && b && *a == *b) return;
    const std::string path = prefix + std::string(name);
    static const JsonObject kNone;
    const bool groups = (!a || a->is_object()) && (!b || b->is_object());
    const bool empty = groups && (!a || a->get_object().empty()) && (!b || b->get_object().empty());
    if (groups && !empty) return compare(a ? a->get_object() : kNone, b ? b->get_object() : kNone, path + ".", out);
    out.push_back({path, a ? *a : Json(nullptr), b ? *b : Json(nullptr)});
  };
  for (const auto& [key, value] : before) one({key.data(), key.size()}, &value, after.if_contains(key));
  for (const auto& [key, value] : after)
    if (!before.contains(key)) one({key.data(), key.size()}, nullptr, &value);
}

class Planner {
 public:
  Planner(const Desired& desired, const Objects& current, const Vault& vault, Random& random)
      : desired_(desired), current_(current), vault_(vault), random_(random) {
    plan_.revision = revision_of(current);
    plan_.after = current;
  }

  Result<DesiredPlan> plan() {
    for (const auto& [key, wanted] : desired_.objects) CHECK_OK(want(key, wanted));
    for (const auto& [key, object] : current_)
      if (!desired_.objects.contains(key) && unwanted(key)) remove(key, object);
    CHECK_OK(check_whole());
    return std::move(plan_);
  }

 private:
  static JsonObject shown(const ObjectKey& key, const JsonObject& body) {
    if (key.kind != kind::kScript) return body;
    return {{"source", lines_of(body.at("source"))}};
  }

  Result<void> want(const ObjectKey& key, const DesiredObject& wanted) {
    const auto found = current_.find(key);
    if (key.kind == kind::kService && current_.contains(departed_key(key.name))) return still_leaving(key.name);
    StoredObject next;
    next.body = wanted.body;
    next.revision = plan_.revision + 1;
    Change change{found == current_.end() ? Change::Act::create : Change::Act::update, key, {}};
    static const StoredObject kNone;
    const StoredObject& before = found == current_.end() ? kNone : found->second;
    if (before.body != next.body) {
      compare(before.body.empty() ? JsonObject() : shown(key, before.body), shown(key, next.body), "", change.fields);
      // A script of as many lines as before is still another script.
      if (change.fields.empty()) change.fields.push_back({"source", Json(lines_of(before.body.at("source"))), Json(lines_of(next.body.at("source")))});
    }
    CHECK_OK(settle_secrets(key, wanted.secrets, before, next, change));
    // Settings that are all usual are the same as none at all.
    const bool usual = key.kind == kind::kSettings && next.body.empty();
    if (change.fields.empty() && (change.act == Change::Act::update || usual)) return {};
    plan_.mutations.push_back(write_object(key, next));
    plan_.changes.push_back(std::move(change));
    plan_.after.insert_or_assign(key, std::move(next));
    return {};
  }

  /// Given ones are sealed when they are new, others are kept while they have a place, needed ones are made.
  Result<void> settle_secrets(const ObjectKey& key, const PlainSecrets& given, const StoredObject& before, StoredObject& next, Change& change) {
    for (const auto& [path, text] : before.sealed)
      if (!given.contains(path) && has_place(key.kind, next.body, path)) next.sealed.emplace(path, text);
    for (const auto& [path, plain] : given) {
      if (!plain || !has_place(key.kind, next.body, path)) continue;
      const auto old = before.sealed.find(path);
      if (old != before.sealed.end()) {
        TRY(const Secret current, vault_.unseal(old->second, secret_context(key, path)));
        if (secret_equal(current, plain->reveal())) {
          next.sealed.emplace(path, old->second);
          continue;
        }
      }
      next.sealed.emplace(path, vault_.seal(plain->reveal(), secret_context(key, path)));
    }
    for (const std::string& path : needed_secrets(key.kind, next.body)) {
      if (next.sealed.contains(path)) continue;
      Secret fresh(random_.token(fresh_bytes(path)));
      next.sealed.emplace(path, vault_.seal(fresh.reveal(), secret_context(key, path)));
      plan_.made.push_back({key, path, std::move(fresh)});
    }
    keep_replaced_secret(key, given, before, next);
    for (const auto& [path, text] : before.sealed)
      if (!next.sealed.contains(path)) change.fields.push_back({path, kMasked, nullptr});
    for (const auto& [path, text] : next.sealed) {
      const auto old = before.sealed.find(path);
      if (old == before.sealed.end())
        change.fields.push_back({path, nullptr, kMasked});
      else if (old->second != text)
        change.fields.push_back({path, kMasked, kMasked});
    }
    return {};
  }

  /// A client secret that is replaced stays good until the time the file states (OA-12).
  static void keep_replaced_secret(const ObjectKey& key, const PlainSecrets& given, const StoredObject& before, StoredObject& next) {
    if (key.kind != kind::kClient || given.contains(kPreviousSecret) || !has_place(key.kind, next.body, kPreviousSecret)) return;
    const auto old = before.sealed.find("client_secret");
    const auto now = next.sealed.find("client_secret");
    if (old != before.sealed.end() && now != next.sealed.end() && old->second != now->second)
      next.sealed.insert_or_assign(std::string(kPreviousSecret), old->second);
  }

  bool unwanted(const ObjectKey& key) const {
    if (key.kind == kind::kService && key.name == kDefaultService) return false;
    for (const Scope& scope : desired_.scopes)
      if (scope.kind == key.kind && key.name.starts_with(scope.prefix)) return true;
    // What belongs to something that goes, goes with it.
    if (key.kind == kind::kServiceCode || key.kind == kind::kRetiredKeys) return gone(kind::kService, key.name);
    if (key.kind == kind::kTable) return gone(kind::kService, key.name.substr(0, key.name.find('/')));
    if (key.kind == kind::kScript) return gone(kind::kTable, key.name.substr(0, key.name.rfind('/')));
    return false;
  }
  bool gone(std::string_view kind, const std::string& name) const {
    const ObjectKey owner{std::string(kind), name};
    return current_.contains(owner) && !desired_.objects.contains(owner) && unwanted(owner);
  }

  void remove(const ObjectKey& key, const StoredObject& object) {
    Change change{Change::Act::remove, key, {}};
    compare(shown(key, object.body), {}, "", change.fields);
    plan_.changes.push_back(std::move(change));
    plan_.mutations.push_back(remove_object(key));
    plan_.after.erase(key);
    if (key.kind != kind::kService) return;
    StoredObject note = departed_note(current_, key.name, plan_.revision + 1);
    plan_.mutations.push_back(write_object(departed_key(key.name), note));
    plan_.after.insert_or_assign(departed_key(key.name), std::move(note));
  }

  /// Everything named by another object must exist.
  Result<void> check_whole() {
    Problems ignored, problems;
    TRY(const std::shared_ptr<const Tenant> t, build_snapshot(desired_.tenant, plan_.after, vault_, 0, ignored));
    const auto need_client = [&](const std::string& id, const std::string& path) {
      if (id != "*" && !t->client(id)) problems.add(path, "there is no client '" + id + "'");
    };
    for (const auto& [id, client] : t->clients) {
      for (const std::string& name : client.connections)
        if (!t->connection(name)) problems.add("clients." + id + ".connections", "there is no connection '" + name + "'");
      for (const std::string& source : client.allowed_clients) need_client(source, "clients." + id + ".allowed_clients");
      if (const auto wams = client.addons.find("wams"); wams != client.addons.end() && !wams->second.contains("masterkey")) {
        const std::string service(text_member(wams->second, "service").value_or(kDefaultService));
        // The default service is made with the tenant, so only a first dry run does not see it.
        if (service != kDefaultService && !t->services.contains(service))
          problems.add("clients." + id + ".addons.wams", "needs a masterkey, or the name of a service of this tenant: '" + service + "' is none");
      }
    }
    for (const auto& [name, service] : t->services) {
      for (const auto& [other, same] : t->services)
        if (!service.prefix.empty() && name < other && same.prefix == service.prefix)
          problems.add("services." + other + ".prefix", "is that of service '" + name + "' too");
      const std::string login = "services." + name + ".login";
      const auto need_connection = [&](const std::string& wanted, const std::string& path) {
        if (!t->connection(wanted)) problems.add(path, "there is no connection '" + wanted + "'");
      };
      for (const std::string& wanted : service.login.connections) need_connection(wanted, login + ".connections");
      for (const auto& [provider, wanted] : service.login.providers) need_connection(wanted, login + ".providers." + provider);
      if (service.login.token == "v2" && service.v2_signing_keys_sealed.empty())
        problems.add(login + ".token", "v2 needs a key to sign with: v2_signing_keys");
    }
    for (const ClientGrant& grant : t->client_grants) {
      need_client(grant.client_id, "client_grants");
      if (!t->api(grant.audience)) problems.add("client_grants", "there is no api '" + grant.audience + "'");
    }
    for (const DelegationGrant& grant : t->delegation_grants) {
      need_client(grant.source, "delegation_grants");
      need_client(grant.target, "delegation_grants");
    }
    if (!t->default_directory.empty() && !t->connection(t->default_directory))
      problems.add("settings.default_directory", "there is no connection '" + t->default_directory + "'");
    if (!t->default_audience.empty() && !t->api(t->default_audience))
      problems.add("settings.default_audience", "there is no api '" + t->default_audience + "'");
    for (std::size_t i = 0; i < desired_.users.size(); ++i) {
      const std::string& name = desired_.users[i].connection;
      const Connection* connection = t->connection(name);
      if (!name.empty() && (!connection || connection->strategy != "auth0"))
        problems.add("users[" + std::to_string(i) + "].connection", "there is no database connection '" + name + "'");
    }
    if (!problems.empty()) return problems.error();
    return {};
  }

  const Desired& desired_;
  const Objects& current_;
  const Vault& vault_;
  Random& random_;
  DesiredPlan plan_;
};

}  // namespace

Result<DesiredPlan> plan_desired(const Desired& desired, const Objects& current, const Vault& vault, Random& random) {
  return Planner(desired, current, vault, random).plan();
}

JsonObject change_json(const Change& change) {
  static constexpr std::string_view kActs[] = {"create", "update", "delete"};
  JsonArray fields;
  for (const FieldChange& field : change.fields)
    fields.push_back(JsonObject{{"path", field.path}, {"before", field.before}, {"after", field.after}});
  return {{"act", kActs[static_cast<std::size_t>(change.act)]}, {"kind", change.key.kind}, {"name", change.key.name}, {"fields", std::move(fields)}};
}

}  // namespace mandate::tenant
