// The hosted pages: SE-3, SE-4. With MANDATE_PAGES set to a folder, the pages are written there to be looked at.
#include "identity/login/pages.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/base64.h"
#include "base/crypto.h"

namespace mandate::identity {
namespace {

void keep(const std::string& name, const http::Response& page) {
  if (const char* folder = std::getenv("MANDATE_PAGES")) std::ofstream(std::string(folder) + "/" + name + ".html") << page.body;
}

LoginPage usual() {
  LoginPage page;
  page.app = "Todo list";
  page.handle = "h4ndle";
  page.csrf = "t0ken";
  page.ways = {{"GitHub", "/login/with?state=h4ndle&connection=github"}, {"Acme Staff", "/login/with?state=h4ndle&connection=acme"}};
  page.directories = {{"Username-Password-Authentication", "Username-Password-Authentication"}};
  page.other_page = "/login/signup?state=h4ndle";
  return page;
}

bool has(const http::Response& page, std::string_view text) { return page.body.find(text) != std::string::npos; }

TEST(Pages, TheChooserShowsAllWaysAndTheForm) {
  const auto page = login_page(200, usual());
  keep("login", page);
  EXPECT_TRUE(has(page, "Continue with GitHub"));
  EXPECT_TRUE(has(page, "Continue with Acme Staff"));
  EXPECT_TRUE(has(page, R"(<form method="post" action="/login">)"));
  EXPECT_TRUE(has(page, R"(name="connection" value="Username-Password-Authentication")"));
  EXPECT_TRUE(has(page, R"(autocomplete="current-password")"));
  EXPECT_TRUE(has(page, R"(<label for="username">)"));
  EXPECT_TRUE(has(page, "Create one"));
  EXPECT_FALSE(has(page, "{{"));
}

TEST(Pages, WhatDoesNotApplyIsNotThere) {
  LoginPage only_form = usual();
  only_form.ways.clear();
  only_form.other_page.clear();
  const auto form = login_page(200, only_form);
  keep("form", form);
  EXPECT_FALSE(has(form, "class=\"ways\""));
  EXPECT_FALSE(has(form, ">or<"));
  EXPECT_FALSE(has(form, "Create one"));
  LoginPage only_ways = usual();
  only_ways.directories.clear();
  const auto ways = login_page(200, only_ways);
  keep("ways", ways);
  EXPECT_FALSE(has(ways, "<form"));
  EXPECT_FALSE(has(ways, ">or<"));
}

TEST(Pages, SeveralDirectoriesAreChosenFromAList) {
  LoginPage page = usual();
  page.directories.push_back({"partners", "Partners"});
  page.directory = "partners";
  const auto shown = login_page(200, page);
  keep("directories", shown);
  EXPECT_TRUE(has(shown, R"(<option value="partners" selected>Partners</option>)"));
  EXPECT_FALSE(has(shown, R"(type="hidden" name="connection")"));
}

TEST(Pages, AnErrorIsAnnouncedAndTheNameStays) {
  LoginPage page = usual();
  page.error = "Wrong email or password.";
  page.username = "ann@example.org";
  const auto shown = login_page(400, page);
  keep("wrong", shown);
  EXPECT_EQ(shown.status, 400);
  EXPECT_TRUE(has(shown, R"(role="alert" id="error">Wrong email or password.)"));
  EXPECT_TRUE(has(shown, R"(value="ann@example.org")"));
}

TEST(Pages, SignUpAsksForWhatTheDirectoryWants) {
  LoginPage page = usual();
  page.other_page = "/login?state=h4ndle";
  const auto plain = sign_up_page(200, page);
  EXPECT_FALSE(has(plain, "User name"));
  EXPECT_TRUE(has(plain, R"(autocomplete="new-password")"));
  page.asks_username = true;
  page.error = "This password is too common. Please choose another one.";
  page.email = "ann@example.org";
  const auto full = sign_up_page(400, page);
  keep("signup", full);
  EXPECT_TRUE(has(full, "User name"));
}

TEST(Pages, NothingOfAStrangerBecomesMarkup) {
  const std::string evil = R"("><script>alert(1)</script><img src=x onerror=alert(2)>'`&{{csrf}}{{{style}}})";
  LoginPage page = usual();
  page.app = page.handle = page.csrf = page.username = page.email = page.error = evil;
  page.ways = {{evil, "/login/with?x=" + evil}};
  page.directories = {{evil, evil}, {evil, evil}};
  page.other_page = evil;
  page.asks_username = true;
  for (const auto& shown : {login_page(200, page), sign_up_page(200, page), problem_page(400, evil, evil, evil)}) {
    EXPECT_FALSE(has(shown, "<script"));
    EXPECT_FALSE(has(shown, "<img"));
    EXPECT_FALSE(has(shown, "t0ken"));
  }
  keep("evil", login_page(200, page));
}

TEST(Pages, ThePolicyAllowsOurStyleAndNoScript) {
  for (const auto& page : {login_page(200, usual()), problem_page(400, "a", "b", ""), blank_page()}) {
    const std::string policy(page.headers.get("Content-Security-Policy"));
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(page.headers.get("X-Frame-Options"), "DENY");
    EXPECT_EQ(page.headers.get("Cache-Control"), "no-store");
    EXPECT_FALSE(has(page, " style="));
  }
  const auto page = login_page(200, usual());
  const std::size_t from = page.body.find("<style>") + 7;
  const std::string style = page.body.substr(from, page.body.find("</style>") - from);
  EXPECT_NE(std::string(page.headers.get("Content-Security-Policy")).find("'sha256-" + base64(sha256(style)) + "'"), std::string::npos)
      << "the hash must be that of the text as the browser sees it";
}

TEST(Pages, AProblemSaysWhatToDo) {
  const auto page = problem_page(400, "That did not work", "This sign-in has ended. Please go back to the app and start again.", "0190f0e2-7c55-7d3a");
  keep("problem", page);
  EXPECT_TRUE(has(page, "Request 0190f0e2-7c55-7d3a"));
}

TEST(Pages, ProvidersAreCalledAsTheyCallThemselves) {
  EXPECT_EQ(provider_label("", "github", "github"), "GitHub");
  EXPECT_EQ(provider_label("Our GitHub", "github", "github"), "Our GitHub");
  EXPECT_EQ(provider_label("", "github", "github-corp"), "github-corp");
  EXPECT_EQ(provider_label("", "oauth2", "acme"), "acme");
}

}  // namespace
}  // namespace mandate::identity
