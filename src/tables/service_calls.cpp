#include "tables/service_calls.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "tables/app_acts.h"
#include "tenant/secrets.h"

namespace mandate::tables {
namespace {

constexpr std::size_t kMostKnown = 1000;

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& each : list) out += (out.empty() ? "" : ",") + each;
  return out;
}

std::string environment_of(const tenant::Vault& vault, const tenant::Service& service) {
  // A key that does not open is not there, and the doors that need it say so.
  const auto key = [&](std::string_view field, const std::string& sealed) {
    if (sealed.empty()) return std::string();
    const Result<Secret> opened = vault.unseal(sealed, tenant::sealed::service(service.name, field));
    return opened.ok() ? std::string(opened->reveal()) : std::string();
  };
  JsonObject env, settings, config;
  const auto set = [&](std::string_view name, std::string_view member, std::string value) {
    if (value.empty()) return;
    env[name] = value;
    config[member] = std::move(value);
  };
  for (const auto& [name, value] : service.settings) env[name] = settings[name] = config[name] = value;
  set("MS_MobileServiceName", "name", service.name);
  set("MS_MasterKey", "masterKey", key("master_key", service.master_key_sealed));
  set("MS_ApplicationKey", "applicationKey", key("application_key", service.application_key_sealed));
  set("MS_ApplicationSystemKey", "applicationSystemKey", key("system_key", service.system_key_sealed));
  set("MS_CrossDomainWhitelist", "crossDomainWhitelist", joined(service.cors_hosts));
  config["appSettings"] = std::move(settings);
  JsonObject out{{"env", std::move(env)}, {"config", std::move(config)}};
  if (const tenant::Push& push = service.push; push.apns.configured || push.fcm.configured || push.wns.configured || push.webpush.configured) out["push"] = true;
  JsonArray coded;
  for (const auto& [table, acts] : service.code.app_acts)
    if (!service.code.app.empty() && std::ranges::any_of(acts, [](const std::string& act) { return act != kWithheld && act != kUnsown; })) coded.emplace_back(table);
  if (!coded.empty()) out["coded"] = std::move(coded);
  return to_json(out);
}

/// Null when no table has any.
scripts::BundlePtr hooks_of(const tenant::Service& service) {
  scripts::Bundle out;
  for (const auto& [lower, table] : service.tables) {
    const auto hooks = table.scripts.find(tenant::kHooks);
    if (hooks == table.scripts.end() || hooks->second.source.empty()) continue;
    out.version += lower + "@" + std::to_string(hooks->second.version) + " ";
    out.files[hooks_file(table.name)] = hooks->second.source;
  }
  return out.files.empty() ? nullptr : std::make_shared<const scripts::Bundle>(std::move(out));
}

/// `files` with all of `hooks`; the same one when it has them.
scripts::BundlePtr merged(const scripts::BundlePtr& files, const scripts::Bundle& hooks) {
  std::map<std::string, std::string, std::less<>> others;
  for (const auto& [path, text] : hooks.files) {
    const std::string* known = spelling_of(*files, path);
    if (!known || files->files.at(*known) != text) others[known ? *known : path] = text;
  }
  if (others.empty()) return files;
  std::string print;
  scripts::Bundle out = *files;
  for (auto& [path, text] : others) {
    print += path + '\n' + sha256(text);
    out.files[path] = std::move(text);
  }
  out.version += "+" + base64url(sha256(print));
  return std::make_shared<const scripts::Bundle>(std::move(out));
}

}  // namespace

const std::string* spelling_of(const scripts::Bundle& bundle, std::string_view path) {
  if (const auto exact = bundle.files.find(path); exact != bundle.files.end()) return &exact->first;
  for (const auto& [each, text] : bundle.files)
    if (iequals(each, path)) return &each;
  return nullptr;
}

std::string hooks_file(std::string_view table) { return "table/" + std::string(table) + ".js"; }

bool looks_at_settings(std::string_view source) {
  return source.find("process") != source.npos || source.find("require") != source.npos || source.find("\\u") != source.npos;
}

bool ServiceCalls::prepare(scripts::Call& call, const tenant::Here& here, const tenant::Service& service, bool settings) {
  call.realm = here->name + "/" + service.name;
  if (settings || service.code.version != 0) call.environment = environment(here, service);
  if (!files_ || service.code.version == 0) return true;
  std::optional<scripts::BundlePtr> bundle = files_->at_hand(*here, service);
  if (!bundle) return false;
  call.bundle = with_hooks(here, service, std::move(*bundle));
  return true;
}

Task<scripts::BundlePtr> ServiceCalls::load(tenant::Here here, const tenant::Service* service) {
  Task<scripts::BundlePtr> loading = files_->load(here, service);
  CO_TRY(scripts::BundlePtr bundle, co_await loading);
  co_return with_hooks(here, *service, std::move(bundle));
}

scripts::BundlePtr ServiceCalls::with_hooks(const tenant::Here& here, const tenant::Service& service, scripts::BundlePtr files) {
  if (!files) return files;
  Known now = known(here, service);
  if (!now.hooks) return files;
  if (now.whole && now.base == files->version) return now.whole;
  scripts::BundlePtr whole = merged(files, *now.hooks);
  const std::lock_guard lock(mutex_);
  const auto kept = known_.find(here->name + "/" + service.name);
  if (kept == known_.end() || kept->second.hooks != now.hooks) return whole;
  kept->second.base = files->version;
  kept->second.whole = whole;
  return whole;
}

std::shared_ptr<const std::string> ServiceCalls::environment(const tenant::Here& here, const tenant::Service& service) { return known(here, service).text; }

scripts::BundlePtr ServiceCalls::hooks(const tenant::Here& here, const tenant::Service& service) { return known(here, service).hooks; }

ServiceCalls::Known ServiceCalls::known(const tenant::Here& here, const tenant::Service& service) {
  const std::string realm = here->name + "/" + service.name;
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(realm);
    if (found != known_.end() && found->second.revision == here->revision) return found->second;
  }
  Known made{here->revision, std::make_shared<const std::string>(environment_of(tenants_.vault(), service)), hooks_of(service)};
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  Known& now = known_[realm];
  // What is equal stays one, so that a Worker is told only what it does not know.
  if (now.text && *now.text == *made.text) made.text = now.text;
  if (now.hooks && made.hooks && now.hooks->version == made.hooks->version) {
    made.hooks = now.hooks;
    made.base = now.base;
    made.whole = now.whole;
  }
  now = made;
  return made;
}

}  // namespace mandate::tables
