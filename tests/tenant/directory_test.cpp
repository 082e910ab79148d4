#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tenant/apply.h"
#include "tenant/audit.h"
#include "tenant/keys.h"
#include "tests/tenant/directory_fixture.h"

namespace mandate::tenant {
namespace {

using test::DirectoryHouse;
using test::run;

std::string whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Keeps people in memory, as identity would in a store.
struct People final : UserSeeder {
  std::map<std::string, SeedUser> known;
  Task<bool> exists(Here, std::string connection, std::string login) override { co_return known.contains(connection + "/" + login); }
  Task<void> create(Here, SeedUser user) override {
    if (user.password.reveal().size() < 8) co_return Error(Code::invalid_password, "The password is too short.");
    std::string key = user.connection + "/" + user.email;
    known.emplace(std::move(key), std::move(user));
    co_return ok();
  }
};

Result<Applied> apply(DirectoryHouse& house, UserSeeder& people, std::string_view text, bool dry_run = false) {
  TRY(Desired desired, parse_desired_text(text));
  http::Request request;
  request.peer = "owner";
  return run(house.loop, apply_desired(house.tenants(), people, std::move(desired), dry_run, request, house.clock, house.random));
}

TEST(Directory, HasNoTenantAtFirst) {
  DirectoryHouse house;
  ASSERT_TRUE(house.opened.ok());
  EXPECT_TRUE(house.tenants().names().empty());
  EXPECT_EQ(house.tenants().by_host("localhost").error().code, Code::misdirected_request);
  EXPECT_EQ(house.tenants().by_name("demo").error().code, Code::not_found);
}

TEST(Directory, ANewTenantHasKeysAndADefaultService) {
  DirectoryHouse house;
  const Here here = house.make("demo");
  EXPECT_EQ(here->name, "demo");
  EXPECT_EQ(here->revision, 1U);
  ASSERT_EQ(here->signing_keys.size(), 4U);
  for (const jose::Alg alg : kSigningAlgs) {
    const SigningKey* key = here->signing_key(alg);
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->key.has_private());
    EXPECT_FALSE(key->certificate_der.empty());
    EXPECT_EQ(here->verifying_key(key->key.kid()), &key->key);
  }
  ASSERT_TRUE(here->service_at("anything"));
  EXPECT_FALSE(here->service_at("anything")->master_key_sealed.empty());
  EXPECT_EQ(run(house.loop, house.tenants().create("demo")).error().code, Code::conflict);
  EXPECT_EQ(run(house.loop, house.tenants().create("../demo")).error().code, Code::invalid_request);
}

TEST(Directory, ComesBackTheSameAfterARestart) {
  DirectoryHouse house;
  const std::string kid = house.make("demo")->signing_key(jose::Alg::ES256)->key.kid();
  house.restart();
  ASSERT_TRUE(house.opened.ok()) << house.opened.error().detail;
  ASSERT_TRUE(house.tenants().by_name("demo").ok());
  EXPECT_EQ((*house.tenants().by_name("demo"))->signing_key(jose::Alg::ES256)->key.kid(), kid);
  EXPECT_EQ((*house.tenants().by_name("demo"))->revision, 1U);
}

TEST(Directory, DoesNotOpenWithAnotherMasterKey) {
  DirectoryHouse house;
  house.make("demo");
  house.restart("another master key");
  ASSERT_FALSE(house.opened.ok());
  EXPECT_EQ(house.opened.error().code, Code::corrupt);
}

TEST(Directory, NoSecretLiesOpenInTheFiles) {  // KS-1
  DirectoryHouse house;
  People people;
  const auto applied = apply(house, people, R"(
tenant: demo
connections: {github: {strategy: github, options: {client_id: a, client_secret: canary-github}}}
clients: {x: {app_type: regular_web, token_endpoint_auth_method: client_secret_post, client_secret: canary-client, addons: {wams: {masterkey: canary-wams}}}}
services: {default: {master_key: canary-master}}
)");
  ASSERT_TRUE(applied.ok()) << applied.error().hint;
  for (const char* file : {"demo", "system"})
    for (const char* suffix : {"", "-wal"}) {
      const std::string bytes = whole_file(house.file(file) + suffix);
      for (const char* canary : {"canary-", "PRIVATE KEY"}) EXPECT_EQ(bytes.find(canary), std::string::npos) << file << suffix << " holds " << canary;
    }
}

TEST(Directory, FindsTenantsByHostAndFallsBackToTheDefault) {
  DirectoryHouse house("one");
  People people;
  ASSERT_TRUE(apply(house, people, "tenant: one\nsettings: {hosts: [one.example]}").ok());
  ASSERT_TRUE(apply(house, people, "tenant: two\nsettings: {hosts: [two.example, 'two.example:8443']}\nservices: {shop: {hosts: [shop.example]}}").ok());
  const auto name = [&](std::string_view host) { return (*house.tenants().by_host(host))->name; };
  EXPECT_EQ(name("one.example"), "one");
  EXPECT_EQ(name("two.example"), "two");
  EXPECT_EQ(name("two.example:9999"), "two");
  EXPECT_EQ(name("shop.example:8443"), "two");
  EXPECT_EQ(name("nobody.example"), "one");
  EXPECT_EQ((*house.tenants().by_name("two"))->service_at("SHOP.example:1")->name, "shop");
  EXPECT_EQ((*house.tenants().by_name("two"))->service_at("two.example")->name, "default");
  EXPECT_EQ(house.tenants().names(), (std::vector<std::string>{"one", "two"}));
}

TEST(Directory, AHostNameNobodyClaimsIsMisdirectedWhereNoTenantIsTheDefault) {  // HT-5
  struct Case {
    const char* default_tenant;
    std::vector<std::string> tenants;
    bool served;
  };
  const Case cases[] = {{"", {"one"}, true},         {"", {"one", "two"}, false},     {"two", {"one", "two"}, true},
                        {"gone", {"one"}, false},    {"-", {"one"}, false},           {"-", {"one", "two"}, false}};
  for (const Case& c : cases) {
    DirectoryHouse house(c.default_tenant);
    People people;
    for (const std::string& name : c.tenants)
      ASSERT_TRUE(apply(house, people, ("tenant: " + name + "\nsettings: {hosts: [" + name + ".example]}").c_str()).ok());
    const Result<Here> stranger = house.tenants().by_host("nobody.example");
    EXPECT_EQ(stranger.ok(), c.served) << c.default_tenant << " of " << c.tenants.size();
    if (!stranger.ok()) EXPECT_EQ(stranger.error().code, Code::misdirected_request);
    EXPECT_TRUE(house.tenants().by_host("one.example:8443").ok()) << "its own name works whatever the default";
  }
}

TEST(Directory, HasPs256KeysOnceSomethingSignsWithIt) {
  DirectoryHouse house;
  People people;
  ASSERT_TRUE(apply(house, people, "tenant: demo\napis: {'https://a.example': {}}").ok());
  const auto key = [&] { return (*house.tenants().by_name("demo"))->signing_key(jose::Alg::PS256); };
  EXPECT_FALSE(key());
  EXPECT_EQ(run(house.loop, house.tenants().rotate_keys("demo", jose::Alg::PS256, false)).error().code, Code::invalid_request);
  ASSERT_TRUE(apply(house, people, "tenant: demo\napis: {'https://a.example': {signing_alg: PS256}}").ok());
  ASSERT_TRUE(key());
  const std::string kid = key()->key.kid();
  EXPECT_EQ((*house.tenants().by_name("demo"))->signing_keys.size(), 6U);
  house.restart();
  ASSERT_TRUE(key());
  EXPECT_EQ(key()->key.kid(), kid);
  EXPECT_EQ(key()->key.alg(), jose::Alg::PS256);
  ASSERT_TRUE(run(house.loop, house.tenants().rotate_keys("demo", std::nullopt, false)).ok());
  EXPECT_NE(key()->key.kid(), kid);
  EXPECT_TRUE((*house.tenants().by_name("demo"))->verifying_key(kid)) << "until the last token it signed has ended";
}

TEST(Directory, ARequestKeepsItsSnapshotWhileTheTenantChanges) {
  DirectoryHouse house;
  People people;
  ASSERT_TRUE(apply(house, people, "tenant: demo\nclients: {a: {}}").ok());
  const Here held = *house.tenants().by_name("demo");
  ASSERT_TRUE(apply(house, people, "tenant: demo\nclients: {b: {}}").ok());
  EXPECT_TRUE(held->client("a"));
  EXPECT_FALSE(held->client("b"));
  const Here now = *house.tenants().by_host("anything");
  EXPECT_TRUE(now->client("b"));
  EXPECT_FALSE(now->client("a"));
  EXPECT_GT(now->revision, held->revision);
}

TEST(Directory, SeesWhatAnotherWriterCommits) {
  DirectoryHouse house;
  const Here here = house.make("demo");
  StoredObject object;
  object.body = {{"app_type", "spa"}};
  store::Batch batch;
  batch.add(raise_revision(here->revision));
  batch.add(write_object({"client", "late"}, object));
  ASSERT_TRUE(run(house.loop, here.store->mutate(std::move(batch))).ok());
  house.loop.run_until([&] { return (*house.tenants().by_name("demo"))->client("late") != nullptr; });
}

TEST(Directory, OfTwoChangesOnTheSameRevisionOneWins) {  // AD-5
  DirectoryHouse house;
  const std::uint64_t revision = house.make("demo")->revision;
  StoredObject object;
  object.body = {{"app_type", "spa"}};
  EXPECT_TRUE(run(house.loop, house.tenants().commit("demo", revision, {write_object({"client", "a"}, object)})).ok());
  const auto second = run(house.loop, house.tenants().commit("demo", revision, {write_object({"client", "b"}, object)}));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_FALSE((*house.tenants().by_name("demo"))->client("b"));
}

TEST(Directory, ThreadsLookUpWhileItChanges) {
  DirectoryHouse house;
  People people;
  ASSERT_TRUE(apply(house, people, "tenant: demo\nclients: {a: {}}").ok());
  std::atomic<bool> stop = false;
  std::atomic<int> seen = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      while (!stop) seen += (*house.tenants().by_host("x"))->clients.size() == 1;
    });
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(apply(house, people, "tenant: demo\nclients: {a: {name: n" + std::to_string(i) + "}}").ok());
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_GT(seen, 0);
}

TEST(SigningKeys, RotateAndGoOnVerifyingUntilTheLastTokenEnded) {  // TK-14
  DirectoryHouse house;
  const Here before = house.make("demo");
  const std::string old = before->signing_key(jose::Alg::ES256)->key.kid();
  const std::string rs256 = before->signing_key(jose::Alg::RS256)->key.kid();
  std::string next;
  for (const SigningKey& key : before->signing_keys)
    if (key.state == "next" && key.key.alg() == jose::Alg::ES256) next = key.key.kid();

  ASSERT_TRUE(run(house.loop, house.tenants().rotate_keys("demo", jose::Alg::ES256, false)).ok());
  const Here after = *house.tenants().by_name("demo");
  EXPECT_EQ(after->signing_key(jose::Alg::ES256)->key.kid(), next);
  EXPECT_EQ(after->signing_key(jose::Alg::RS256)->key.kid(), rs256);
  ASSERT_TRUE(after->verifying_key(old));
  EXPECT_EQ(after->signing_keys.size(), 5U);

  house.clock.advance(std::chrono::seconds(longest_token_lifetime(*after) - 1));
  ASSERT_TRUE(run(house.loop, house.tenants().reload("demo")).ok());
  EXPECT_TRUE((*house.tenants().by_name("demo"))->verifying_key(old));
  house.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(run(house.loop, house.tenants().reload("demo")).ok());
  EXPECT_FALSE((*house.tenants().by_name("demo"))->verifying_key(old));
}

TEST(SigningKeys, ARevokedKeyIsGoneAtOnce) {
  DirectoryHouse house;
  const std::string old = house.make("demo")->signing_key(jose::Alg::RS256)->key.kid();
  ASSERT_TRUE(run(house.loop, house.tenants().rotate_keys("demo", {}, true)).ok());
  const Here after = *house.tenants().by_name("demo");
  EXPECT_FALSE(after->verifying_key(old));
  EXPECT_TRUE(after->signing_key(jose::Alg::RS256));
  EXPECT_EQ(after->signing_keys.size(), 4U);
}

constexpr std::string_view kDemo = R"(
tenant: demo
connections: {Username-Password-Authentication: {strategy: auth0}}
users: [{email: ana@example.org, password: correct horse}, {email: ben@example.org, password: purple monkey}]
clients: {todo: {app_type: regular_web, token_endpoint_auth_method: client_secret_post}}
)";

TEST(Apply, MakesTheTenantItsObjectsAndItsPeople) {
  DirectoryHouse house;
  People people;
  const auto applied = apply(house, people, kDemo);
  ASSERT_TRUE(applied.ok()) << applied.error().hint;
  EXPECT_TRUE(applied->made_tenant);
  EXPECT_EQ(applied->changes.size(), 2U);
  EXPECT_EQ(applied->made.size(), 1U);
  EXPECT_EQ(applied->people, (std::vector<std::string>{"ana@example.org", "ben@example.org"}));
  EXPECT_TRUE(people.known.contains("Username-Password-Authentication/ana@example.org"));
}

TEST(Apply, ASecondTimeChangesNothing) {
  DirectoryHouse house;
  People people;
  ASSERT_TRUE(apply(house, people, kDemo).ok());
  const std::uint64_t revision = (*house.tenants().by_name("demo"))->revision;
  const auto again = apply(house, people, kDemo);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->made_tenant);
  EXPECT_TRUE(again->changes.empty());
  EXPECT_TRUE(again->people.empty());
  EXPECT_TRUE(again->made.empty());
  EXPECT_EQ((*house.tenants().by_name("demo"))->revision, revision);
}

TEST(Apply, ADryRunShowsTheSameAndKeepsNothing) {
  DirectoryHouse house;
  People people;
  const auto dry = apply(house, people, kDemo, true);
  ASSERT_TRUE(dry.ok()) << dry.error().hint;
  EXPECT_EQ(dry->changes.size(), 2U);
  EXPECT_EQ(dry->people.size(), 2U);
  EXPECT_TRUE(dry->made.empty());
  EXPECT_TRUE(people.known.empty());
  EXPECT_TRUE(house.tenants().names().empty());
}

TEST(Apply, AFileWithAMistakeLeavesNothingBehind) {
  DirectoryHouse house;
  People people;
  EXPECT_FALSE(apply(house, people, "tenant: demo\nclients: {a: {connections: [ghost]}}").ok());
  EXPECT_TRUE(house.tenants().names().empty());
}

TEST(Apply, APersonWhoCannotBeMadeIsNamed) {
  DirectoryHouse house;
  People people;
  const auto applied = apply(house, people, "tenant: demo\nconnections: {db: {strategy: auth0}}\nusers: [{email: eve@example.org, password: short}]");
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().hint, "users: eve@example.org: The password is too short.");
}

TEST(Apply, WritesOneAuditRowPerChangeOfConfiguration) {  // KS-6
  DirectoryHouse house;
  People people;
  ASSERT_TRUE(apply(house, people, kDemo).ok());
  ASSERT_TRUE(apply(house, people, kDemo).ok());
  store::Plan plan;
  plan.table = "audit";
  const auto rows = run(house.loop, store::rows(*house.tenants().by_name("demo")->store, plan));
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().text("type"), "config.changed");
  EXPECT_NE(rows->front().text("details").find(R"("name":"todo")"), std::string_view::npos);
}

}  // namespace
}  // namespace mandate::tenant
