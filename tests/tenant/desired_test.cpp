#include <gtest/gtest.h>

#include "base/crypto.h"
#include "base/yaml.h"
#include "tenant/desired.h"
#include "tenant/snapshot.h"

namespace mandate::tenant {
namespace {

constexpr std::string_view kFile = R"(
tenant: demo
settings: {friendly_name: Demo, hosts: [demo.example], flags: [enable_legacy_profile]}
connections:
  Username-Password-Authentication: {strategy: auth0}
  github: {strategy: github, options: {client_id: abc, client_secret: planted-github-secret}}
apis:
  https://api.example/: {scopes: ["read:x"], signing_alg: HS256}
clients:
  todo:
    callbacks: [https://app.example/cb]
    grant_types: [authorization_code, legacy_delegation_id_token]
    oidc_conformant: false
    jwt_configuration: {alg: HS256, lifetime_in_seconds: 600}
    client_secret: planted-client-secret
  backend:
    app_type: non_interactive
    addons: {wams: {masterkey: planted-master-key}}
    allowed_clients: [todo]
  machine: {app_type: non_interactive, token_endpoint_auth_method: client_secret_post, grant_types: [client_credentials]}
client_grants: [{client_id: machine, audience: "https://api.example/", scope: ["read:x"]}]
delegation_grants: [{source: machine, target: backend, api_types: [wams], max_lifetime: 60, lifetime_rule: min}]
services:
  default:
    cors_hosts: [app.example]
    master_key: planted-service-key
    tables:
      TodoItem:
        permissions: {"*": user, delete: admin}
        columns: {text: string, complete: boolean}
        scripts: {insert: "function insert(item, user, request) {\n  request.execute();\n}\n"}
)";

class DesiredState : public ::testing::Test {
 protected:
  Desired parsed(std::string_view text) {
    Result<Desired> desired = parse_desired_text(text);
    EXPECT_TRUE(desired.ok()) << (desired.ok() ? "" : desired.error().hint);
    return desired.ok() ? std::move(*desired) : Desired();
  }
  DesiredPlan planned(std::string_view text, const Objects& current) {
    const Desired desired = parsed(text);
    Result<DesiredPlan> plan = plan_desired(desired, current, vault, random);
    EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().hint + plan.error().detail);
    return plan.ok() ? std::move(*plan) : DesiredPlan();
  }
  std::string refused(std::string_view text, const Objects& current = {}) {
    const Result<Desired> desired = parse_desired_text(text);
    if (!desired.ok()) return desired.error().hint;
    const Result<DesiredPlan> plan = plan_desired(*desired, current, vault, random);
    return plan.ok() ? "(nothing)" : plan.error().hint;
  }
  std::shared_ptr<const Tenant> snapshot(const Objects& objects) {
    Problems problems;
    const auto built = build_snapshot("demo", objects, vault, 0, problems);
    EXPECT_TRUE(problems.empty());
    return built.ok() ? *built : nullptr;
  }

  SeededRandom random;
  Vault vault{"key", random};
};

TEST_F(DesiredState, BecomesTheTenant) {
  const auto tenant = snapshot(planned(kFile, {}).after);
  ASSERT_TRUE(tenant);
  EXPECT_EQ(tenant->friendly_name, "Demo");
  EXPECT_TRUE(tenant->flag("enable_legacy_profile"));
  const Client* todo = tenant->client("todo");
  ASSERT_TRUE(todo);
  EXPECT_EQ(todo->alg, jose::Alg::HS256);
  EXPECT_EQ(todo->lifetime_in_seconds, 600);
  EXPECT_TRUE(todo->allows(grant::kLegacyDelegationIdToken));
  ASSERT_EQ(todo->secrets.size(), 1U);
  EXPECT_TRUE(secret_equal(*vault.unseal(todo->secrets[0].sealed, sealed::client_secret("todo")), "planted-client-secret"));
  const std::string masterkey(*text_member(tenant->client("backend")->addons.at("wams"), "masterkey"));
  EXPECT_TRUE(secret_equal(*vault.unseal(masterkey, sealed::addon("backend", "wams", "masterkey")), "planted-master-key"));
  const std::string github(*text_member(tenant->connection("github")->options, "client_secret"));
  EXPECT_TRUE(secret_equal(*vault.unseal(github, sealed::connection("github", "client_secret")), "planted-github-secret"));
  EXPECT_FALSE(tenant->api("https://api.example/")->signing_secret_sealed.empty());
  const Table* table = tenant->services.at("default").table("todoITEM");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->name, "TodoItem");
  EXPECT_EQ(table->permissions.insert, "authenticated");
  EXPECT_EQ(table->permissions.remove, "admin");
  EXPECT_EQ(table->columns.size(), 2U);
  EXPECT_EQ(table->scripts.at("insert").version, 1U);
  ASSERT_EQ(tenant->delegation_grants.size(), 1U);
  EXPECT_EQ(tenant->delegation_grants[0].lifetime_rule, "min");
  EXPECT_EQ(tenant->client("backend")->allowed_clients, std::vector<std::string>{"todo"});
}

TEST_F(DesiredState, AppliedAgainChangesNothing) {
  const DesiredPlan first = planned(kFile, {});
  const DesiredPlan again = planned(kFile, first.after);
  EXPECT_TRUE(again.changes.empty());
  EXPECT_TRUE(again.mutations.empty());
  EXPECT_TRUE(again.made.empty());
}

TEST_F(DesiredState, AReplacedClientSecretStaysGoodUntilTheFilesTime) {  // OA-12
  const auto file = [](std::string_view secret, std::string_view more) {
    return "tenant: demo\nclients: {web: {app_type: regular_web, token_endpoint_auth_method: client_secret_post, client_secret: " +
           std::string(secret) + std::string(more) + "}}\n";
  };
  const std::string_view until = R"(, previous_client_secret_expires_at: "2030-01-31T12:00:00Z")";
  const Objects before = planned(file("first-secret", ""), {}).after;
  const DesiredPlan plan = planned(file("second-secret", until), before);
  ASSERT_EQ(plan.changes.size(), 1U);
  std::map<std::string, std::string> fields;
  for (const FieldChange& field : plan.changes[0].fields) fields[field.path] = to_json(field.before) + " " + to_json(field.after);
  EXPECT_EQ(fields["client_secret"], R"("***" "***")");
  EXPECT_EQ(fields["previous_client_secret"], R"(null "***")");
  EXPECT_EQ(fields["previous_client_secret_expires_at"], R"(null "2030-01-31T12:00:00.000Z")");

  const auto tenant = snapshot(plan.after);
  const Client& web = *tenant->client("web");
  ASSERT_EQ(web.secrets.size(), 2U);
  EXPECT_EQ(web.secrets[0].hash, token_hash("second-secret"));
  EXPECT_EQ(web.secrets[0].expires_at, 0);
  EXPECT_EQ(web.secrets[1].hash, token_hash("first-secret"));
  EXPECT_EQ(web.secrets[1].expires_at, *parse_iso8601("2030-01-31T12:00:00Z"));
  EXPECT_TRUE(planned(file("second-secret", until), plan.after).changes.empty()) << "the same file again";

  const std::string plain = to_yaml(*export_tenant("demo", plan.after, nullptr));
  EXPECT_EQ(plain.find("-secret\n"), std::string::npos) << plain;
  EXPECT_TRUE(planned(plain, plan.after).changes.empty()) << "an export keeps what it does not show";
  const std::string open = to_yaml(*export_tenant("demo", plan.after, &vault));
  EXPECT_EQ(snapshot(planned(open, {}).after)->client("web")->secrets[1].hash, token_hash("first-secret"));

  EXPECT_EQ(snapshot(planned(file("second-secret", ""), plan.after).after)->client("web")->secrets.size(), 1U)
      << "without the time the old secret ends at once";
  EXPECT_EQ(snapshot(planned(file("third-secret", ""), before).after)->client("web")->secrets.size(), 1U);
  EXPECT_NE(refused(file("x", ", previous_client_secret: y")).find("previous_client_secret_expires_at"), std::string::npos);
  EXPECT_NE(refused(file("x", ", previous_client_secret_expires_at: tomorrow")).find("must be a time"), std::string::npos);
}

TEST_F(DesiredState, AnExportBringsAboutWhatWasExported) {
  const Objects objects = planned(kFile, {}).after;
  const Result<Json> file = export_tenant("demo", objects, nullptr);
  ASSERT_TRUE(file.ok());
  const std::string yaml = to_yaml(*file);
  EXPECT_TRUE(planned(yaml, objects).changes.empty()) << yaml;
  const DesiredPlan elsewhere = planned(yaml, {});
  EXPECT_EQ(to_yaml(*export_tenant("demo", elsewhere.after, nullptr)), yaml);
}

TEST_F(DesiredState, EvenAnEmptyTenantsExportChangesNothing) {
  const Result<Json> file = export_tenant("demo", {}, nullptr);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(planned(to_yaml(*file), {}).changes.empty());
}

TEST_F(DesiredState, AnExportHasSecretsOnlyWhenAsked) {
  const Objects objects = planned(kFile, {}).after;
  const std::string without = to_json(*export_tenant("demo", objects, nullptr)), with = to_json(*export_tenant("demo", objects, &vault));
  for (const char* secret : {"planted-github-secret", "planted-client-secret", "planted-master-key", "planted-service-key"}) {
    EXPECT_EQ(without.find(secret), std::string::npos) << secret;
    EXPECT_NE(with.find(secret), std::string::npos) << secret;
  }
  EXPECT_TRUE(planned(with, objects).changes.empty());
  SeededRandom other_random;
  const Vault other("another key", other_random);
  EXPECT_EQ(export_tenant("demo", objects, &other).error().code, Code::corrupt);
}

TEST_F(DesiredState, SecretsAreNeverShownInADifferenceOrKeptInTheOpen) {
  const DesiredPlan plan = planned(kFile, {});
  std::string shown, stored;
  for (const Change& change : plan.changes) append_json(shown, change_json(change));
  for (const store::Mutation& m : plan.mutations)
    for (const store::Cell& cell : m.set)
      if (const auto* text = std::get_if<std::string>(&cell.value)) stored += *text;
  EXPECT_NE(shown.find("***"), std::string::npos);
  for (const std::string& text : {shown, stored}) EXPECT_EQ(text.find("planted-"), std::string::npos);
}

TEST_F(DesiredState, MissingSecretsAreMadeOnceAndKept) {
  const DesiredPlan first = planned(kFile, {});
  std::set<std::string> made;
  for (const MadeSecret& secret : first.made) made.insert(secret.key.kind + " " + secret.key.name + " " + secret.path);
  EXPECT_EQ(made, (std::set<std::string>{"client machine client_secret", "api https://api.example/ signing_secret", "service default application_key"}));
  const DesiredPlan changed = planned("tenant: demo\ndelegation_grants: []\nclients: {machine: {app_type: non_interactive, name: New, token_endpoint_auth_method: client_secret_post}}", first.after);
  EXPECT_TRUE(changed.made.empty());
  EXPECT_EQ(changed.after.at({"client", "machine"}).sealed, first.after.at({"client", "machine"}).sealed);
}

TEST_F(DesiredState, ADifferenceNamesEachField) {
  const Objects before = planned(kFile, {}).after;
  std::string text(kFile);
  text.replace(text.find("lifetime_in_seconds: 600"), 24, "lifetime_in_seconds: 900");
  text.replace(text.find("planted-client-secret"), 21, "another-client-secret");
  const DesiredPlan plan = planned(text, before);
  ASSERT_EQ(plan.changes.size(), 1U);
  EXPECT_EQ(to_json(change_json(plan.changes[0])),
            R"({"act":"update","kind":"client","name":"todo","fields":[{"path":"jwt_configuration.lifetime_in_seconds","before":600,"after":900},)"
            R"({"path":"client_secret","before":"***","after":"***"}]})");
}

TEST_F(DesiredState, ASectionThatIsThereIsCompleteAndOneThatIsNotIsLeftAlone) {
  const Objects before = planned(kFile, {}).after;
  EXPECT_TRUE(planned("tenant: demo\n", before).changes.empty());
  const DesiredPlan plan = planned("tenant: demo\nclient_grants: []\ndelegation_grants: []\nclients: {todo: {callbacks: [https://app.example/cb]}}\ntables: {}\n", before);
  std::map<std::string, int> acts;
  for (const Change& change : plan.changes) ++acts[change.key.kind + (change.act == Change::Act::remove ? " delete" : " update")];
  EXPECT_EQ(acts, (std::map<std::string, int>{{"client delete", 2}, {"client update", 1}, {"client_grant delete", 1}, {"delegation_grant delete", 1},
                                              {"script delete", 1}, {"table delete", 1}}));
}

TEST_F(DesiredState, AnAddonTakenAwayTakesItsSecretWithIt) {
  const Objects before = planned(kFile, {}).after;
  const DesiredPlan plan = planned("tenant: demo\ndelegation_grants: []\nclient_grants: []\nclients: {todo: {}, backend: {app_type: non_interactive}}", before);
  EXPECT_TRUE(plan.after.at({"client", "backend"}).sealed.empty());
}

TEST_F(DesiredState, ANullTakesASecretAway) {
  const Objects before = planned(kFile, {}).after;
  const DesiredPlan plan = planned("tenant: demo\nservices: {default: {cors_hosts: [app.example], previous_master_key: old}}", before);
  EXPECT_TRUE(plan.after.at({"service", "default"}).sealed.contains("previous_master_key"));
  const DesiredPlan then = planned("tenant: demo\nservices: {default: {cors_hosts: [app.example], previous_master_key: null}}", plan.after);
  EXPECT_FALSE(then.after.at({"service", "default"}).sealed.contains("previous_master_key"));
}

TEST_F(DesiredState, ALegacySdkIsShortForItsSwitches) {
  const auto tenant = snapshot(planned("tenant: demo\nclients: {old: {legacy_sdk: uwp, name: Old}}", {}).after);
  const Client* old = tenant->client("old");
  ASSERT_TRUE(old);
  EXPECT_FALSE(old->oidc_conformant);
  EXPECT_TRUE(old->query_tokens);
  EXPECT_EQ(old->alg, jose::Alg::RS256);
  for (const std::string_view grant : {grant::kImplicit, grant::kLegacyRo, grant::kLegacyDelegationIdToken, grant::kLegacyDelegationRefreshToken})
    EXPECT_TRUE(old->allows(grant)) << grant;
}

struct Bad {
  const char* text;
  const char* says;
};
class BadFile : public DesiredState, public ::testing::WithParamInterface<Bad> {};

TEST_P(BadFile, IsRefusedWithThePlaceOfEachMistake) {
  const std::string hint = refused(GetParam().text);
  EXPECT_NE(hint.find(GetParam().says), std::string::npos) << hint;
}

INSTANTIATE_TEST_SUITE_P(
    Validation, BadFile,
    ::testing::Values(
        Bad{"[]", "must begin with 'tenant: NAME'"}, Bad{"tenant: De mo", "tenant: the name may contain"}, Bad{"a: 1\ntenant: demo", "a: is no setting we know"},
        Bad{"tenant: demo\nclients: []", "clients: must be a group"}, Bad{"tenant: demo\nclients: {todo: 1}", "clients.todo: must be a group"},
        Bad{"tenant: demo\nclients: {todo: {colour: red}}", "clients.todo.colour: is no setting we know"},
        Bad{"tenant: demo\nclients: {todo: {name: 12}}", "clients.todo.name: must be text: put it in quotes"},
        Bad{"tenant: demo\nclients: {todo: {app_type: toaster}}", "clients.todo.app_type: 'toaster' is none of: native, spa"},
        Bad{"tenant: demo\nclients: {todo: {callbacks: ['https://a.example/', 'JAVASCRIPT:x']}}", "clients.todo.callbacks[1]: 'JAVASCRIPT:x' has the scheme"},
        Bad{"tenant: demo\nclients: {todo: {callbacks: ['http://a.example/']}}", "is http; only loopback"},
        Bad{"tenant: demo\nclients: {todo: {callbacks: ['https://*.a.example/']}}", "has a wildcard host"},
        Bad{"tenant: demo\nclients: {todo: {callbacks: [x, x]}}", "clients.todo.callbacks[1]: 'x' is listed twice"},
        Bad{"tenant: demo\nclients: {todo: {allowed_logout_urls: ['https://a.example/#x']}}", "clients.todo.allowed_logout_urls[0]"},
        Bad{"tenant: demo\nclients: {todo: {allowed_origins: ['https://a.example/x']}}", "an origin has no path"},
        Bad{"tenant: demo\nclients: {todo: {grant_types: [magic]}}", "clients.todo.grant_types[0]: 'magic' is no grant type"},
        Bad{"tenant: demo\nclients: {todo: {grant_types: [client_credentials]}}", "client_credentials needs a client with a secret"},
        Bad{"tenant: demo\nclients: {todo: {app_type: spa, token_endpoint_auth_method: client_secret_post}}", "cannot keep a secret"},
        Bad{"tenant: demo\nclients: {todo: {jwt_configuration: {alg: none}}}", "clients.todo.jwt_configuration.alg: 'none' is none of"},
        Bad{"tenant: demo\nclients: {todo: {jwt_configuration: {lifetime_in_seconds: 1.5}}}", "must be a whole number"},
        Bad{"tenant: demo\nclients: {todo: {jwt_configuration: {lifetime_in_seconds: 99999999}}}", "must be between 1 and 2592000"},
        Bad{"tenant: demo\nclients: {todo: {client_secret: 12345}}", "clients.todo.client_secret: must be text: put it in quotes"},
        Bad{"tenant: demo\nclients: {todo: {client_secret: ''}}", "must have 1 to 4096 characters"},
        Bad{"tenant: demo\nclients: {todo: {addons: {aws: {}}}}", "clients.todo.addons.aws: is no setting we know"},
        Bad{"tenant: demo\nclients: {todo: {addons: {wams: {claims: both}}}}", "clients.todo.addons.wams.claims: 'both' is none of"},
        Bad{"tenant: demo\nclients: {todo: {addons: {wams: {service: shop}}}}", "needs a masterkey, or the name of a service"},
        Bad{"tenant: demo\nclients: {todo: {allowed_clients: some}}", "clients.todo.allowed_clients: 'some' is none of: nobody, all"},
        Bad{"tenant: demo\nclients: {todo: {allowed_clients: [ghost]}}", "there is no client 'ghost'"},
        Bad{"tenant: demo\nclients: {todo: {connections: [ghost]}}", "there is no connection 'ghost'"},
        Bad{"tenant: demo\nclients: {todo: {legacy_sdk: cobol}}", "'cobol' is no SDK we know"},
        Bad{"tenant: demo\nclients: {'a b': {}}", "the client_id may contain"},
        Bad{"tenant: demo\nclients: {todo: {refresh_token: {expiration_type: non-expiring}}}", "non-expiring tokens cannot rotate"},
        Bad{"tenant: demo\nconnections: {x: {}}", "connections.x.strategy: is missing"},
        Bad{"tenant: demo\nconnections: {x: {strategy: myspace}}", "'myspace' is none of: auth0, github, oauth2"},
        Bad{"tenant: demo\nconnections: {github: {strategy: github}}", "connections.github.options.client_id: is missing"},
        Bad{"tenant: demo\nconnections: {x: {strategy: oauth2, options: {client_id: a, token_url: 'http://a.example/'}}}", "connections.x.options.token_url: is http"},
        Bad{"tenant: demo\napis: {'a b': {}}", "the identifier may contain"}, Bad{"tenant: demo\napis: {a: {scopes: ['x y']}}", "apis.a.scopes[0]"},
        Bad{"tenant: demo\nclient_grants: [{client_id: ghost, audience: a}]", "there is no client 'ghost'"},
        Bad{"tenant: demo\ndelegation_grants: [{source: '*', target: ghost}]", "there is no client 'ghost'"},
        Bad{"tenant: demo\ndelegation_grants: [{source: '*', target: a, api_types: [ftp]}]", "delegation_grants[0].api_types[0]: 'ftp' is no api_type"},
        Bad{"tenant: demo\ndelegation_grants: [{source: a, target: b}, {source: a, target: b}]", "delegation_grants[1]: is there twice"},
        Bad{"tenant: demo\ntables: {T: {permissions: everybody}}", "'everybody' is no permission"},
        Bad{"tenant: demo\ntables: {T: {permissions: {read: Public}}}", "tables.T.permissions.read: 'Public' is no permission"},
        Bad{"tenant: demo\ntables: {T: {permissions: {peek: public}}}", "tables.T.permissions.peek: is no setting we know"},
        Bad{"tenant: demo\ntables: {'a;b': {}}", "the name may contain"}, Bad{"tenant: demo\ntables: {T: {columns: {id: string}}}", "is a column every table has"},
        Bad{"tenant: demo\ntables: {T: {columns: {a: blob}}}", "tables.T.columns.a: 'blob' is none of"},
        Bad{"tenant: demo\ntables: {T: {scripts: {insert: scripts/x.js}}}", "is a file's name"},
        Bad{"tenant: demo\ntables: {T: {scripts: {upsert: x}}}", "tables.T.scripts.upsert: is no setting we know"},
        Bad{"tenant: demo\ntables: {Todo: {}, TODO: {}}", "is there twice"},
        Bad{"tenant: demo\ntables: {}\nservices: {default: {tables: {}}}", "keep them in one place"},
        Bad{"tenant: demo\nservices: {Shop: {}}", "the name may contain"}, Bad{"tenant: demo\nservices: {shop: {hosts: ['https://x']}}", "without scheme"},
        Bad{"tenant: demo\nsettings: {flags: [enable_magic]}", "settings.flags[0]: 'enable_magic' is no flag"},
        Bad{"tenant: demo\nsettings: {hosts: ['A.example']}", "must be lower case"},
        Bad{"tenant: demo\nsettings: {default_directory: ghost}", "there is no connection 'ghost'"},
        Bad{"tenant: demo\nusers: [{email: a@b.example}]", "users[0].password: is missing"},
        Bad{"tenant: demo\nusers: [{password: x}]", "users[0].email: is missing"},
        Bad{"tenant: demo\nusers: [{email: a@b.example, password: x}, {email: A@b.example, password: x}]", "users[1].email: is there twice"},
        Bad{"tenant: demo\nusers: [{email: a@b.example, password: x, connection: ghost}]", "there is no database connection 'ghost'"},
        Bad{"tenant: demo\nusers: [{email: a@b.example, password: x, roles: [admin]}]", "users[0].roles: is no setting we know"}));

TEST_F(DesiredState, AllMistakesAreToldAtOnce) {
  const std::string hint = refused("tenant: demo\nclients: {a: {app_type: x}, b: {grant_types: [y]}}\nsettings: {flags: [z]}");
  EXPECT_EQ(std::count(hint.begin(), hint.end(), '\n'), 2) << hint;
}

TEST_F(DesiredState, AMisspeltPermissionInTheStoreIsAdmin) {  // DA-11
  Objects objects = planned(kFile, {}).after;
  for (const char* word : {"Authenticated", "everyone", "", "public "}) {
    objects[{"table", "default/todoitem"}].body["permissions"] = {{"read", word}, {"insert", word}};
    Problems problems;
    const auto tenant = build_snapshot("demo", objects, vault, 0, problems);
    ASSERT_TRUE(tenant.ok());
    const TablePermissions& p = (*tenant)->services.at("default").table("TodoItem")->permissions;
    EXPECT_EQ(p.read, "admin") << word;
    EXPECT_EQ(p.insert, "admin") << word;
    EXPECT_EQ(p.update, "admin") << word;
  }
}

}  // namespace
}  // namespace mandate::tenant
