// Four levels, five operations, four kinds of caller: 80 cells, each 401 or success (mobile-backend-wire 4.7, DA-11).
#include "tables/permissions.h"

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Permissions : public World {
 protected:
  enum class Caller { nobody, key, token, master };
  Headers headers_of(Caller caller) {
    switch (caller) {
      case Caller::nobody: return {{"X-ZUMO-VERSION", "test"}};
      case Caller::key: return v1();
      case Caller::token: return {{"X-ZUMO-VERSION", "test"}, {"X-ZUMO-AUTH", token_of("Facebook:1")}};
      case Caller::master: return {{"X-ZUMO-MASTER", std::string(kMasterKey)}};
    }
    return {};
  }
  /// Carries the operation out on a row that is there (or not), as the operation needs it.
  int attempt(std::string_view table, Operation operation, Caller caller) {
    const std::string id = "row" + std::to_string(++made_), one = "/tables/" + std::string(table) + "/" + id;
    const Headers master = headers_of(Caller::master), headers = headers_of(caller);
    const std::string all = "/tables/" + std::string(table), body = R"({"id":")" + id + R"(","x":1})";
    if (operation != Operation::insert) send(http::Method::post, all, master, body);
    switch (operation) {
      case Operation::read: return send(http::Method::get, one, headers).status;
      case Operation::insert: return send(http::Method::post, all, headers, body).status;
      case Operation::update: return send(http::Method::patch, one, headers, R"({"x":2})").status;
      case Operation::remove: return send(http::Method::delete_, one, headers).status;
      case Operation::undelete: send(http::Method::delete_, one, master); return send(http::Method::post, one, headers).status;
    }
    return 0;
  }
  tenant::Table& table_with(std::string_view level) {
    tenant::Table& table = add_table("T_" + std::string(level));
    const std::string word(level);
    table.permissions = {word, word, word, word, word};
    table.soft_delete = true;
    return table;
  }
  int made_ = 0;
};

constexpr Operation kAll[] = {Operation::read, Operation::insert, Operation::update, Operation::remove, Operation::undelete};

TEST_F(Permissions, WhatIsSwitchedOffIs405ForEverybodyTheMasterKeyIncluded) {
  table_with("public").permissions.remove = "disabled";
  table_with("disabled");
  publish();
  for (Caller caller : {Caller::nobody, Caller::key, Caller::token, Caller::master}) {
    EXPECT_EQ(attempt("T_public", Operation::remove, caller), 405) << static_cast<int>(caller);
    EXPECT_EQ(attempt("T_public", Operation::read, caller), 200) << static_cast<int>(caller);
    for (Operation operation : kAll) EXPECT_EQ(attempt("T_disabled", operation, caller), 405) << name(operation) << " " << static_cast<int>(caller);
  }
  const auto refused = send(http::Method::get, "/tables/T_disabled", {{"ZUMO-API-VERSION", "2.0.0"}});
  EXPECT_EQ(refused.body, "Method read is not allowed");
  EXPECT_TRUE(refused.headers.get("Content-Type").starts_with("text/plain"));
}

TEST_F(Permissions, EachOfThe80CellsIsRefusedOrDone) {
  for (std::string_view level : {"public", "application", "user", "admin"}) table_with(level);
  publish();
  for (std::string_view level : {"public", "application", "user", "admin"})
    for (Operation operation : kAll)
      for (Caller caller : {Caller::nobody, Caller::key, Caller::token, Caller::master}) {
        const bool allowed = caller == Caller::master || level == "public" || (level == "application" && caller == Caller::key) ||
                             (level == "user" && caller == Caller::token);
        const int status = attempt("T_" + std::string(level), operation, caller);
        if (allowed) EXPECT_TRUE(status >= 200 && status < 300) << level << " " << name(operation) << " " << static_cast<int>(caller) << " " << status;
        else EXPECT_EQ(status, 401) << level << " " << name(operation) << " " << static_cast<int>(caller);
      }
}

TEST_F(Permissions, ALevelThatIsMissingOrMisspeltIsAdmin) {
  for (std::string_view word : {"", "Public", "PUBLIC", "everyone", "aplication", "users", "*", " public"}) {
    EXPECT_EQ(permission_of(word), Permission::admin) << word;
    for (Operation operation : kAll) {
      tenant::Table& table = table_with("public");
      tenant::TablePermissions& p = table.permissions;
      std::string& entry = operation == Operation::read     ? p.read
                           : operation == Operation::insert ? p.insert
                           : operation == Operation::update ? p.update
                           : operation == Operation::remove ? p.remove
                                                            : p.undelete;
      entry = word;
      if (operation == Operation::undelete && word.empty()) p.insert = "admin";  // an empty undelete asks insert
      publish();
      EXPECT_EQ(attempt("T_public", operation, Caller::token), 401) << "'" << word << "' " << name(operation);
    }
  }
  EXPECT_EQ(permission_of("authenticated"), Permission::user);
}

TEST_F(Permissions, AnOverriddenVerbIsAllowedAsTheVerbItStandsFor) {
  tenant::Table& table = table_with("public");
  table.permissions = {"public", "admin", "admin", "admin", "admin"};
  publish();
  send(http::Method::post, "/tables/T_public", {{"X-ZUMO-MASTER", std::string(kMasterKey)}}, R"({"id":"a","x":1})");
  for (std::string verb : {"PATCH", "DELETE", "patch"})
    EXPECT_EQ(send(http::Method::post, "/tables/T_public/a", v2({{"X-HTTP-Method-Override", verb}}), R"({"x":2})").status, 401) << verb;
  EXPECT_EQ(send(http::Method::post, "/tables/T_public/a", v2({{"X-HTTP-Method-Override", "GET"}})).status, 200);
  EXPECT_EQ(send(http::Method::post, "/tables/T_public/a", v2({{"X-HTTP-Method-Override", "TRACE"}})).status, 405);
  EXPECT_EQ(send(http::Method::head, "/tables/T_public/a", v2()).status, 200);
  EXPECT_EQ(get("/tables/T_public/a?_method=DELETE").status, 200);
}

TEST_F(Permissions, ATokenOfAnotherMasterKeyIsRefused) {
  table_with("user");
  publish();
  JsonObject claims{{"exp", store.clock().now_seconds() + 60}, {"uid", "Facebook:1"}};
  const std::string foreign = *jose::sign_jwt(identity::zumo_key("another service's key"), claims);
  EXPECT_EQ(send(http::Method::get, "/tables/T_user", {{"X-ZUMO-AUTH", foreign}}).status, 401);
}

TEST_F(Permissions, ThePreviousMasterKeyCountsWhileKeysAreChanged) {
  add_table("Closed").permissions = {"admin", "admin", "admin", "admin", ""};
  service.previous_master_key_sealed = tenants.vault().seal("the key before", tenant::sealed::service("default", "previous_master_key"));
  publish();
  EXPECT_EQ(get("/tables/closed", v2({{"X-ZUMO-MASTER", "the key before"}})).status, 200);
  EXPECT_EQ(get("/tables/closed", v2({{"X-ZUMO-MASTER", std::string(kMasterKey)}})).status, 200);
  EXPECT_EQ(get("/tables/closed", v2({{"X-ZUMO-MASTER", "another"}})).status, 401);
  http::Request request;
  request.headers.add("X-ZUMO-MASTER", "the key before");
  request.host = kHost;
  auto principal = run(loop, bearers.identify(tenants.here, *tenants.here->service_at(kHost), request));
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->level, identity::Level::admin);
}

}  // namespace
}  // namespace mandate::tables::test
