// LISTEN_FDS and its sisters, as sd_listen_fds(3) has them.
#include "server/given_sockets.h"

#include <gtest/gtest.h>

#include <map>

namespace mandate::server {
namespace {

constexpr int kMe = 4711;

Result<http::Sockets> given(std::map<std::string, std::string> variables) {
  return given_sockets([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }, kMe);
}

TEST(GivenSockets, WithoutASupervisorThereAreNone) {
  const auto sockets = given({});
  ASSERT_TRUE(sockets.ok());
  EXPECT_TRUE(sockets->doors.empty());
  EXPECT_FALSE(sockets->kept);
}

TEST(GivenSockets, ThoseOfAnotherProcessAreNotOurs) {
  const auto sockets = given({{"LISTEN_PID", "4712"}, {"LISTEN_FDS", "2"}});
  ASSERT_TRUE(sockets.ok());
  EXPECT_TRUE(sockets->doors.empty());
  EXPECT_FALSE(sockets->kept);
}

TEST(GivenSockets, NamelessOnesAreThePublicPort) {
  const auto sockets = given({{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}});
  ASSERT_TRUE(sockets.ok());
  EXPECT_EQ(sockets->doors, (std::vector<int>{3, 4}));
  EXPECT_EQ(sockets->owner, -1);
  EXPECT_TRUE(sockets->kept);
}

TEST(GivenSockets, NamesTellTheOwnersSocketAndTheMetricsFromThePublicPort) {
  const auto sockets = given({{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "4"}, {"LISTEN_FDNAMES", "mandated.socket:metrics:admin:unknown"}});
  ASSERT_TRUE(sockets.ok());
  EXPECT_EQ(sockets->doors, (std::vector<int>{3, 6}));
  EXPECT_EQ(sockets->observer, 4);
  EXPECT_EQ(sockets->owner, 5);
}

TEST(GivenSockets, NonsenseIsRefused) {
  using Variables = std::map<std::string, std::string>;
  for (const Variables& bad : {Variables{{"LISTEN_PID", "x"}, {"LISTEN_FDS", "1"}},
                               Variables{{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "-1"}},
                               Variables{{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "1x"}},
                               Variables{{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2000000000"}},
                               Variables{{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "one"}},
                               Variables{{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "admin:admin"}}}) {
    const auto sockets = given(bad);
    ASSERT_FALSE(sockets.ok());
    EXPECT_EQ(sockets.error().code, Code::invalid_request);
    EXPECT_FALSE(sockets.error().hint.empty());
  }
}

}  // namespace
}  // namespace mandate::server
