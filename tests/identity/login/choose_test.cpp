// None named: show all. One named: go straight there.
#include "identity/login/choose.h"

#include <gtest/gtest.h>

namespace mandate::identity {
namespace {

struct Ways {
  tenant::Tenant tenant;
  tenant::Client client;
  Ways() {
    add("Username-Password-Authentication", "auth0");
    add("github", "github");
  }
  tenant::Connection& add(const std::string& name, const std::string& strategy) {
    tenant::Connection& connection = tenant.connections[name];
    connection.name = name;
    connection.strategy = strategy;
    return connection;
  }
  std::string chosen(std::string_view named = "") {
    const auto choice = choose(tenant, client, named);
    if (!choice.ok()) return "refused: " + choice.error().hint;
    if (choice->straight) return "straight to " + choice->straight->name;
    std::string out = "show";
    for (const auto* connection : choice->offered) out += " " + connection->name;
    return out;
  }
};

TEST(Choose, NoneNamedShowsAllDatabasesFirst) {
  Ways ways;
  EXPECT_EQ(ways.chosen(), "show Username-Password-Authentication github");
}

TEST(Choose, OneNamedGoesStraightThere) {
  Ways ways;
  EXPECT_EQ(ways.chosen("github"), "straight to github");
  EXPECT_EQ(ways.chosen("Username-Password-Authentication"), "show Username-Password-Authentication");
}

TEST(Choose, AStrategyNamesItsOnlyConnection) {
  Ways ways;
  ways.add("acme", "oauth2");
  EXPECT_EQ(ways.chosen("oauth2"), "straight to acme");
  EXPECT_EQ(ways.chosen("auth0"), "show Username-Password-Authentication");
  ways.add("beta", "oauth2");
  EXPECT_EQ(ways.chosen("oauth2"), "refused: the connection was not found");
  EXPECT_EQ(ways.chosen("beta"), "straight to beta");
}

TEST(Choose, TheOnlyConnectionIsTakenUnlessItAsksOnOurPage) {
  Ways ways;
  ways.client.connections = {"github"};
  EXPECT_EQ(ways.chosen(), "straight to github");
  ways.client.connections = {"Username-Password-Authentication"};
  EXPECT_EQ(ways.chosen(), "show Username-Password-Authentication");
}

TEST(Choose, WhatTheClientMayNotUseIsNotFound) {
  Ways ways;
  ways.client.connections = {"Username-Password-Authentication"};
  EXPECT_EQ(ways.chosen("github"), "refused: the connection was not found");
  EXPECT_EQ(ways.chosen("nowhere"), "refused: the connection was not found");
  ways.client.connections.clear();
  ways.tenant.connections["github"].enabled = false;
  EXPECT_EQ(ways.chosen("github"), "refused: the connection was not found");
  ways.tenant.connections.clear();
  EXPECT_EQ(ways.chosen(), "refused: the connection was not found");
}

}  // namespace
}  // namespace mandate::identity
