// A tenant's configuration as one immutable value. Requests hold a snapshot, so every check of a request sees the same
// configuration and policies stay pure functions of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/secret.h"
#include "jose/jwk.h"

namespace mandate::http {
struct Request;
}

namespace mandate::tenant {

/// Grant types by their wire names; the legacy ones are switches of identity-wire 0.8.
namespace grant {
inline constexpr std::string_view kAuthorizationCode = "authorization_code";
inline constexpr std::string_view kImplicit = "implicit";
inline constexpr std::string_view kRefreshToken = "refresh_token";
inline constexpr std::string_view kClientCredentials = "client_credentials";
inline constexpr std::string_view kPassword = "password";
inline constexpr std::string_view kPasswordRealm = "http://auth0.com/oauth/grant-type/password-realm";
inline constexpr std::string_view kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
inline constexpr std::string_view kLegacyRo = "http://auth0.com/oauth/legacy/grant-type/ro";
inline constexpr std::string_view kLegacyDelegationIdToken = "http://auth0.com/oauth/legacy/grant-type/delegation/id_token";
inline constexpr std::string_view kLegacyDelegationRefreshToken = "http://auth0.com/oauth/legacy/grant-type/delegation/refresh_token";
/// A mobile service's own login (/login/{provider}, /.auth/*); only the client that stands for the service has it.
inline constexpr std::string_view kServiceLogin = "urn:mandate:grant:service-login";
}  // namespace grant

struct ClientSecret {
  std::string hash;          ///< token_hash of the secret text
  std::string sealed;        ///< envelope-sealed text: HS256 id_tokens need the secret itself
  std::int64_t expires_at = 0;  ///< ms; 0 = does not; an old secret during rotation has one
};

/// An OAuth client, or the target of a delegation. Field names are those of identity-wire 5.3 where they exist.
struct Client {
  std::string client_id, name;
  std::string app_type = "native";  ///< native, spa, regular_web, non_interactive
  bool enabled = true, is_first_party = true, oidc_conformant = true;
  std::string token_endpoint_auth_method = "none";  ///< none, client_secret_post, client_secret_basic (both secrets accepted either way)
  std::vector<ClientSecret> secrets;     ///< the current one first
  std::int64_t previous_secret_expires_at = 0;  ///< ms; a secret that is replaced stays good until then; 0 = ends at once
  std::vector<std::string> callbacks, allowed_origins, web_origins, allowed_logout_urls;
  std::set<std::string, std::less<>> grant_types;
  std::vector<std::string> connections;  ///< names; empty = every enabled connection of the tenant
  // jwt_configuration
  jose::Alg alg = jose::Alg::ES256;
  bool secret_encoded = false;           ///< HS256 key is the base64url-decoded secret
  std::int64_t lifetime_in_seconds = 36'000;
  // refresh_token
  bool refresh_rotating = true;
  std::int64_t refresh_idle_seconds = 14 * 86'400, refresh_absolute_seconds = 90 * 86'400, refresh_leeway_seconds = 10;
  bool refresh_infinite = false;         ///< legacy: never expires, not rotated
  // delegation
  std::string allowed_clients_mode = "nobody";  ///< nobody, listed, all
  std::vector<std::string> allowed_clients;
  std::map<std::string, JsonObject, std::less<>> addons;  ///< type → settings; secrets inside are sealed texts
  // legacy
  bool chained_delegation = false, query_tokens = false, jsonp = false;
  JsonObject extra;                      ///< members kept for export that no code reads

  bool confidential() const { return token_endpoint_auth_method != "none"; }
  bool allows(std::string_view grant_type) const { return grant_types.contains(grant_type); }
};

/// A resource server.
struct Api {
  std::string identifier, name;
  std::string signing_alg = "ES256";  ///< ES256, RS256, PS256, HS256, or "opaque"
  std::vector<std::string> scopes;
  bool allow_offline_access = false;
  std::int64_t token_lifetime = 86'400, token_lifetime_for_web = 7'200;
  std::string signing_secret_sealed;  ///< for HS256
};

/// Client credentials: which client may ask for which API.
struct ClientGrant {
  std::string client_id, audience;
  std::vector<std::string> scope;
};

/// A way to log in.
struct Connection {
  std::string name, strategy, display_name;  ///< strategy: auth0 (database), github, oauth2, oidc, oidc
  bool enabled = true;
  JsonObject options;  ///< strategy's own; secrets inside are sealed texts
};

/// One line of who may trade whose token for what (identity-wire 2.4). Both delegation doors read it.
struct DelegationGrant {
  std::string source, target;          ///< client ids; "*" = any source
  std::vector<std::string> api_types;  ///< empty = any
  std::vector<std::string> scopes;     ///< empty = any the target knows
  std::vector<std::string> subject_kinds;  ///< id_token, refresh_token, access_token; empty = any
  std::int64_t max_lifetime = 0;       ///< seconds; 0 = the target's
  std::string lifetime_rule = "target";  ///< "target" or "min" (never outlives the subject)
};

struct TablePermissions {
  std::string read = "admin", insert = "admin", update = "admin", remove = "admin", undelete;  ///< undelete empty = insert's
};

/// Among a table's scripts: the one of table/T.js, whose functions are called around any operation.
inline constexpr std::string_view kHooks = "hooks";
/// … and the one that decides what a write over a newer row comes to.
inline constexpr std::string_view kConflict = "conflict";

struct TableScript {
  std::string source;
  std::uint64_t version = 0;
};

/// What a table declares of one of its columns.
struct TableColumn {
  std::string name = {};
  std::string type = "string";  ///< string number integer boolean datetime date time duration guid binary enum point json
  bool required = false;        ///< no row without a value
  bool unique = false, index = false;
  Json usual = nullptr;         ///< `default`: what a new row gets that does not say; null = nothing
  std::int64_t max_length = 0;  ///< characters of a string, bytes of a binary; 0 = as many as fit
  std::vector<std::string> values = {};  ///< of an enum, in their order
  // A relation: the column holds ids of another table of the service.
  std::string references = {};           ///< that table; empty = no relation
  std::string as = {};                   ///< the relation's name in $expand and in rules; never empty with `references`
  std::string on_delete = "restrict";    ///< restrict, set null, cascade: what becomes of rows whose row is deleted
};

/// Columns that are looked up, or that no two rows have alike, together.
struct TableIndex {
  std::vector<std::string> columns;
  bool unique = false;
};

/// Conditions in the language of tables/rules/rules.h, beside the levels of TablePermissions; empty = none.
struct TableRules {
  std::string read = {};    ///< which rows exist for the caller, for every operation
  std::string insert = {};  ///< what a new row must be
  std::string update = {};  ///< which rows may be changed, or brought back
  std::string remove = {};  ///< `delete`: which rows may be deleted
  std::string check = {};   ///< what a row must be after an insert or update
  bool any() const { return !(read.empty() && insert.empty() && update.empty() && remove.empty() && check.empty()); }
};

/// What clients that work offline are promised of a table.
struct TableSync {
  std::string conflicts = "report";     ///< report (412 or 409 with the row), client, server, newest, script: who wins over a newer row
  std::string newest_by;                ///< newest: the column whose larger value wins
  std::int64_t keep_deleted_days = -1;  ///< rows marked as deleted; -1 = 30 days, or as long as tokens live; 0 = for ever
};

/// A table of a service.
struct Table {
  std::string name;                   ///< spelling as created; found without case
  bool integer_id = false, soft_delete = false, dynamic_schema = true;
  std::string dialect = "v2";         ///< v1, v2, v3, v4: for callers that give no sign (mobile-backend-wire 0.3 #6)
  std::int64_t page_size = 0, max_top = 0;  ///< rows of a page, largest $top; 0 = as the dialect has it
  TablePermissions permissions;
  std::map<std::string, TableScript, std::less<>> scripts;  ///< operation: insert read update delete; kHooks
  std::vector<TableColumn> columns;   ///< declared; rows may have others where dynamic_schema says so
  std::vector<TableIndex> indexes;    ///< of several columns
  TableRules rules;
  TableSync sync;
  std::string user_id_column;         ///< set = per-user table: the storage layer stamps and filters it

  /// Declared, without case; null when it is not.
  const TableColumn* column(std::string_view any_case) const;
};

/// How people log in to a service itself: /login/{provider} and /.auth/* (mobile-backend-wire 4.1, 4.5, 4.6).
struct ServiceLogin {
  bool enabled = false;                  ///< a service without `login` lets nobody in this way
  std::vector<std::string> connections;  ///< names; empty = every enabled connection of the tenant
  /// The name in an app's URL, in lower case → connection. Names that are not here mean the connection of that name.
  std::map<std::string, std::string, std::less<>> providers;
  std::string token = "v1";                  ///< v1 (master key), v2 (V2 signing key), own (our issuer's key)
  std::string signing_alg = "ES256";         ///< of own tokens: ES256, RS256
  std::string user_id_format = "{user_id}";  ///< {user_id}, {provider}:{id} ("Facebook:123"), sid ("sid:" and 32 hex)
  std::int64_t token_lifetime = 30 * 86'400;    ///< seconds
  std::int64_t refresh_lifetime = 90 * 86'400;  ///< seconds after the login; later /.auth/refresh says no
  bool keep_provider_tokens = true;  ///< sealed, for /.auth/me, /.auth/refresh and getIdentities()
  bool client_flow = true;           ///< POST of a provider's token
  bool legacy_callbacks = false;     ///< providers send people back to /login/{p} or /.auth/login/{p}/callback
  std::vector<std::string> external_redirects;  ///< "myapp" = myapp://easyauth.callback, or a whole URL
  std::string package_sid;                      ///< "ms-app://s-1-15-…": who may ask for sso_end_uri
};

/// How a service reaches devices, per platform. Endpoints are empty for the platform's own.
struct Push {
  struct Apns {
    bool configured = false, production = true;
    std::string key_id, team_id, topic, endpoint, key_sealed;  ///< key: PKCS#8 PEM of Apple's .p8 file
  };
  struct Fcm {
    bool configured = false;
    std::string endpoint, service_account_sealed;  ///< Google's JSON file; names the project and the token's address
  };
  struct Wns {
    bool configured = false;
    std::string package_sid, endpoint, client_secret_sealed;  ///< endpoint: where the access token comes from
    std::vector<std::string> channel_hosts;  ///< hosts of channel URIs beside *.notify.windows.com
  };
  struct WebPush {
    bool configured = false;
    std::string subject, private_key_sealed;  ///< RFC 8292; subject: mailto: or https:
  };
  Apns apns;
  Fcm fcm;
  Wns wns;
  WebPush webpush;
  std::string permission;  ///< to register; empty: application for V1, public for V2, which has no such key
  std::int64_t registration_days = 90;  ///< a registration not renewed for so long is gone; 0 = never
};

/// What a service does by itself at its times, or when asked: `function NAME()` of a script (mobile-backend-wire 5.7).
/// Neither cron nor interval_unit: only when asked.
struct Job {
  std::string name;              ///< spelling as created; found without case
  bool enabled = true;           ///< its times count; it can be asked for all the same
  std::string cron;              ///< five fields in UTC (tenant/schedule.h)
  std::string interval_unit;     ///< minute, hour, day, month, year
  std::int64_t interval_period = 0;
  std::int64_t start_time = 0;   ///< ms; intervals are counted from it, and nothing runs before it
  std::string missed = "once";   ///< times that passed while nobody was there to run it: once, skip, all (of the last day)
  std::int64_t timeout = 1'800;  ///< seconds that a run may take
  std::string source;            ///< the script's text; empty: that of `path`
  std::string path;              ///< among the service's files; empty: scheduler/NAME.js
};

/// A custom API of a service's code (mobile-backend-wire 4.7, 5.6).
struct CustomApi {
  using Verbs = std::map<std::string, std::string, std::less<>>;  ///< verb in lower case, or "*" → level
  std::string name;  ///< as the file is spelt; found without case
  std::string file;  ///< in the service's bundle: "api/contacts.js"
  std::map<std::string, Verbs, std::less<>> permissions;  ///< route: "/", "/x/:id", "*"; what is not listed is admin
};

/// Which version of a service's folder runs (tables/code). Its tables and scripts are objects of their own, changed with it.
struct ServiceCode {
  std::int64_t version = 0;  ///< 1, 2, 3 …; 0: the service has no folder
  std::string hash;          ///< of the list of its files: equal lists, equal hash
  std::string push_permission;  ///< of extensions/push.json; empty: it says nothing
  std::string app;              ///< main file of an app for Mobile Apps' Node server: "app.js"; empty: it is none
  /// Which operations of its tables the app's own functions stand around: lower-case table → read, insert, update, delete, undelete
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> app_acts;
};

/// A key of a service that was replaced and counts until its time is over.
struct RetiredKey {
  std::string field;  ///< application_key, master_key, v2_signing_key
  std::string sealed;
  std::int64_t until = 0;  ///< ms
};

/// A mobile service: tables, keys, settings. A tenant has one named "default" and may have more.
struct Service {
  std::string name;
  std::vector<std::string> hosts;     ///< own host names; the default service also answers on the tenant's
  std::string prefix;                 ///< "/legacy/todo": its doors are below this path too, beside /s/NAME at every host
  std::string application_key_sealed, master_key_sealed, previous_master_key_sealed;
  std::vector<RetiredKey> retired_keys;  ///< of a rotation; see RetiredKey::until
  std::string system_key_sealed;      ///< of those who start jobs by a signed token; empty = nobody does
  std::vector<std::string> v2_signing_keys_sealed;
  std::vector<std::string> cors_hosts{"localhost"};
  ServiceLogin login;
  std::map<std::string, Table, std::less<>> tables;  ///< by lower-case name
  std::map<std::string, std::string, std::less<>> settings;
  Push push;
  ServiceCode code;
  std::map<std::string, CustomApi, std::less<>> apis;  ///< of its code, by lower-case name
  std::map<std::string, Job, std::less<>> jobs;      ///< by lower-case name

  const Table* table(std::string_view any_case) const;
  const Job* job(std::string_view any_case) const;
};

inline constexpr std::string_view kDefaultService = "default";

/// The client id that stands for a service at its own login, and the audience of our own tokens for it. No client of the
/// tenant can have it, for its colons.
std::string service_client_id(std::string_view service);

/// A signing key of the tenant with its place in the rotation.
struct SigningKey {
  jose::Key key;
  std::string certificate_der;
  std::string state;  ///< current, next, previous
};

/// Immutable once published.
struct Tenant {
  std::string name;
  std::vector<std::string> hosts;
  std::string issuer_host;  ///< fixed host[:port] for iss; empty = the request's host
  bool enabled = true;
  std::uint64_t epoch = 0;    ///< raised by restore and emergencies: everything older is void (TK-10)
  std::uint64_t revision = 0; ///< grows with every change of configuration
  std::set<std::string, std::less<>> flags;  ///< allow_legacy_ro_grant_types … (identity-wire 0.8)
  std::string default_audience, default_directory, token_error_status = "rfc";
  std::vector<std::string> allowed_logout_urls;
  std::int64_t session_lifetime_seconds = 7 * 86'400, idle_session_lifetime_seconds = 3 * 86'400;
  std::string friendly_name;
  std::string global_client_id;  ///< of the client "All Applications"; empty = one made of the name: use global_id()

  std::map<std::string, Client, std::less<>> clients;        ///< by client_id
  std::map<std::string, Api, std::less<>> apis;              ///< by identifier
  std::vector<ClientGrant> client_grants;
  std::map<std::string, Connection, std::less<>> connections;  ///< by name
  std::vector<DelegationGrant> delegation_grants;
  std::map<std::string, Service, std::less<>> services;      ///< by name
  std::map<std::string, Client, std::less<>> service_clients;  ///< by service_client_id; made of Service::login
  std::vector<SigningKey> signing_keys;                      ///< by algorithm, each current/next/previous

  const Client* client(std::string_view id) const;
  /// The same, or the client that stands for a service: whom a login under way is for.
  const Client* login_client(std::string_view id) const;
  const Api* api(std::string_view identifier) const;
  const Connection* connection(std::string_view name) const;
  /// Enabled connections this client may use, in name order.
  std::vector<const Connection*> connections_of(const Client& client) const;
  const SigningKey* signing_key(jose::Alg alg) const;       ///< the current one
  const jose::Key* verifying_key(std::string_view kid) const;  ///< current, next or previous
  /// The service that owns this Host field; the default service when none claims it. Null when there is no service.
  const Service* service_at(std::string_view host) const;
  /// The service a request is for: the one its prefix names, else the one at its host.
  const Service* service_of(const http::Request& request) const;
  /// When the path begins with a service's prefix: takes it off and keeps it in Request::prefix.
  bool strip_prefix(http::Request& request) const;
  const Service* service_with_prefix(std::string_view prefix) const;
  bool flag(std::string_view name) const { return flags.contains(name); }
  /// The id old profiles show as global_client_id (identity-wire 4.1): the same for all clients, and for ever.
  std::string global_id() const;
};

/// "localhost:8443" → "localhost"; "[::1]:80" → "[::1]".
std::string_view host_without_port(std::string_view host);

}  // namespace mandate::tenant
