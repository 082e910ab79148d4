#include "base/url.h"
#include "base/yaml.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"
#include "tenant/desired.h"

namespace mandate::tenant {

using namespace std::string_view_literals;

namespace {

class Parser {
 public:
  Result<Desired> parse(const Json& file) {
    if (!file.is_object()) return Error(Code::invalid_request, "The file must begin with 'tenant: NAME'.");
    ObjectReader in(file.get_object(), "", problems_);
    in.text("tenant", out_.tenant, 63);
    if (const std::string text = tenant_name_problem(out_.tenant); !text.empty()) in.problem("tenant", "the name " + text);
    if (const JsonObject* settings = in.object("settings")) read_settings_section(*settings);
    named(in, "connections", kind::kConnection, [&](const std::string& name, const JsonObject& body, const std::string& path) {
      return write_connection(read_connection(name, body, path, problems_));
    });
    named(in, "apis", kind::kApi, [&](const std::string& name, const JsonObject& body, const std::string& path) {
      return write_api(read_api(name, body, path, problems_));
    });
    named(in, "clients", kind::kClient, [&](const std::string& name, const JsonObject& body, const std::string& path) {
      return write_client(read_client(name, expand_preset(body, path), path, problems_));
    });
    listed(in, "client_grants", kind::kClientGrant, [&](const JsonObject& body, const std::string& path, std::string& name) {
      const ClientGrant grant = read_client_grant(body, path, problems_);
      name = grant.client_id + " " + grant.audience;
      return write_client_grant(grant);
    });
    listed(in, "delegation_grants", kind::kDelegationGrant, [&](const JsonObject& body, const std::string& path, std::string& name) {
      const DelegationGrant grant = read_delegation_grant(body, path, problems_);
      name = grant.source + " " + grant.target;
      return write_delegation_grant(grant);
    });
    read_services(in);
    read_users(in);
    in.finish();
    if (!problems_.empty()) return problems_.error();
    return std::move(out_);
  }

 private:
  void add(std::string_view kind, const std::string& name, JsonObject body, PlainSecrets secrets, const std::string& path) {
    if (!out_.objects.emplace(ObjectKey{std::string(kind), name}, DesiredObject{std::move(body), std::move(secrets)}).second)
      problems_.add(path, "is there twice");
  }

  void read_settings_section(const JsonObject& body) {
    Tenant tenant;
    read_settings(body, "settings", problems_, tenant);
    add(kind::kSettings, "", write_settings(tenant), {}, "settings");
    out_.scopes.push_back({std::string(kind::kSettings), ""});
  }

  JsonObject expand_preset(JsonObject body, const std::string& path) {
    const Json* preset = body.if_contains("legacy_sdk");
    if (!preset) return body;
    const std::string sdk(preset->is_string() ? view(preset->get_string()) : std::string_view());
    body.erase("legacy_sdk");
    if (!apply_legacy_preset(sdk, body))
      problems_.add(path + ".legacy_sdk", "'" + sdk.substr(0, 40) + "' is no SDK we know: uwp, wp8, xamarin, android-1, ios-1, auth0-js-6 to auth0-js-9");
    return body;
  }

  /// A section of NAME: {…}.
  template <class Read>
  void named(ObjectReader& in, std::string_view section, std::string_view kind, Read read) {
    if (in.any(section)) out_.scopes.push_back({std::string(kind), ""});
    const JsonObject* group = in.object(section);
    if (!group) return;
    for (const auto& [key, value] : *group) {
      const std::string name(key.data(), key.size()), path = in.at(section) + "." + name;
      if (!value.is_object() && !value.is_null()) {
        problems_.add(path, "must be a group of settings (name: value)");
        continue;
      }
      JsonObject body = value.is_object() ? value.get_object() : JsonObject();
      PlainSecrets secrets = take_secrets(kind, body, path, problems_);
      add(kind, name, read(name, body, path), std::move(secrets), path);
    }
  }

  /// A section of - {…}, whose members tell the name.
  template <class Read>
  void listed(ObjectReader& in, std::string_view section, std::string_view kind, Read read) {
    if (in.any(section)) out_.scopes.push_back({std::string(kind), ""});
    const JsonArray* list = in.array(section);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string path = in.at(section) + "[" + std::to_string(i) + "]";
      if (!(*list)[i].is_object()) {
        problems_.add(path, "must be a group of settings (name: value)");
        continue;
      }
      std::string name;
      JsonObject body = read((*list)[i].get_object(), path, name);
      add(kind, name, std::move(body), {}, path);
    }
  }

  void read_services(ObjectReader& in) {
    named(in, "services", kind::kService, [&](const std::string& name, const JsonObject& body, const std::string& path) {
      JsonObject own = body;
      if (const Json* tables = own.if_contains("tables")) read_tables(name, *tables, path + ".tables");
      own.erase("tables");
      return write_service(read_service(name, own, path, problems_));
    });
    if (const Json* tables = in.any("tables")) {
      for (const Scope& scope : out_.scopes)
        if (scope.kind == kind::kTable && scope.prefix == std::string(kDefaultService) + "/")
          return problems_.add("tables", "services.default has tables too: keep them in one place");
      read_tables(std::string(kDefaultService), *tables, "tables");
    }
  }

  void read_tables(const std::string& service, const Json& tables, const std::string& path) {
    out_.scopes.push_back({std::string(kind::kTable), service + "/"});
    if (tables.is_null()) return;
    if (!tables.is_object()) return problems_.add(path, "must be a group of tables (NAME: settings)");
    for (const auto& [key, value] : tables.get_object()) {
      const std::string name(key.data(), key.size()), place = path + "." + name;
      if (!value.is_object() && !value.is_null()) {
        problems_.add(place, "must be a group of settings (name: value)");
        continue;
      }
      JsonObject body = value.is_object() ? value.get_object() : JsonObject();
      const std::string object_name = service + "/" + ascii_lower(name);
      if (const Json* scripts = body.if_contains("scripts")) read_scripts(object_name, *scripts, place + ".scripts");
      body.erase("scripts");
      JsonObject written = write_table(read_table(name, body, place, problems_));
      written["name"] = name;  // tables are found without case, and shown as spelt
      add(kind::kTable, object_name, std::move(written), {}, place);
    }
  }

  void read_scripts(const std::string& table, const Json& scripts, const std::string& path) {
    out_.scopes.push_back({std::string(kind::kScript), table + "/"});
    if (scripts.is_null()) return;
    if (!scripts.is_object()) return problems_.add(path, "must be a group (insert: source)");
    ObjectReader in(scripts.get_object(), path, problems_);
    for (const std::string_view operation : {"insert"sv, "read"sv, "update"sv, "delete"sv, kHooks, kConflict}) {
      std::string source;
      in.text(operation, source, 256 * 1024);
      if (!in.has(operation)) continue;
      if (source.find('\n') == std::string::npos && source.ends_with(".js"))
        in.problem(operation, "'" + source.substr(0, 200) + "' is a file's name; `mandate apply` puts the file's text here");
      add(kind::kScript, table + "/" + std::string(operation), {{"source", source}}, {}, in.at(operation));
    }
    in.finish();
  }

  void read_users(ObjectReader& in) {
    const JsonArray* list = in.array("users");
    if (!list) return;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string path = "users[" + std::to_string(i) + "]";
      if (!(*list)[i].is_object()) {
        problems_.add(path, "must be a group of settings (name: value)");
        continue;
      }
      ObjectReader one((*list)[i].get_object(), path, problems_);
      SeedUser user;
      std::string password;
      one.text("connection", user.connection, 128);
      one.text("email", user.email, 254);
      one.text("username", user.username, 128);
      one.text("password", password, 256);
      one.text("name", user.name, 256);
      one.text("nickname", user.nickname, 256);
      one.text("given_name", user.given_name, 256);
      one.text("family_name", user.family_name, 256);
      one.text("picture", user.picture, 2000);
      one.flag("email_verified", user.email_verified);
      if (const JsonObject* metadata = one.object("user_metadata")) user.user_metadata = *metadata;
      if (const JsonObject* metadata = one.object("app_metadata")) user.app_metadata = *metadata;
      one.finish();
      if (user.email.empty()) one.problem("email", "is missing");
      if (password.empty()) one.problem("password", "is missing");
      if (!seen.insert(user.connection + "\x1f" + ascii_lower(user.email)).second) one.problem("email", "is there twice");
      user.password = Secret(std::move(password));
      out_.users.push_back(std::move(user));
    }
  }

  Desired out_;
  Problems problems_;
};

}  // namespace

Result<Desired> parse_desired(const Json& file) { return Parser().parse(file); }

Result<Desired> parse_desired_text(std::string_view text) {
  JsonLimits limits;
  limits.bytes = 4 << 20;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && text[first] == '{';
  TRY(const Json file, json ? parse_json(text, limits) : parse_yaml(text, limits));
  return parse_desired(file);
}

}  // namespace mandate::tenant
