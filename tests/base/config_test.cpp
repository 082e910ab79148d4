#include "base/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mandate {
namespace {

class Configuration : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "mandate-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(name.data()));
    directory = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  Result<Config> load(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {},
                      const char* file = nullptr) {
    if (file) {
      std::ofstream(directory + "/m.toml") << file;
      arguments.insert(arguments.begin(), "--config=" + directory + "/m.toml");
    }
    return Config::load(arguments, [&](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    });
  }
  std::string refusal(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {},
                      const char* file = nullptr) {
    const auto config = load(std::move(arguments), std::move(environment), file);
    return config.ok() ? "(nothing)" : config.error().hint;
  }
  std::string directory;
};

TEST_F(Configuration, HasAValueForEveryOption) {
  const auto config = load({});
  ASSERT_TRUE(config.ok()) << config.error().hint;
  EXPECT_EQ(config->text("address"), "127.0.0.1");
  EXPECT_EQ(config->integer("port"), 8443);
  EXPECT_EQ(config->duration("request_timeout").count(), 30'000);
  EXPECT_EQ(config->bytes("script_heap"), 64U << 20);
  EXPECT_TRUE(config->list("trusted_proxies").empty());
  EXPECT_EQ(config->source("port"), "default");
}

TEST_F(Configuration, FlagsWinOverEnvironmentOverFileOverDefault) {
  const char* file = "port = 1000\naddress = '::1'\nlog_level = 'warn'\n";
  const auto config = load({"--port", "3000"}, {{"MANDATE_PORT", "2000"}, {"MANDATE_LOG_LEVEL", "error"}}, file);
  ASSERT_TRUE(config.ok()) << config.error().hint;
  EXPECT_EQ(config->integer("port"), 3000);
  EXPECT_EQ(config->source("port"), "flag");
  EXPECT_EQ(config->text("log_level"), "error");
  EXPECT_EQ(config->source("log_level"), "environment");
  EXPECT_EQ(config->text("address"), "::1");
  EXPECT_EQ(config->source("address"), "file");
}

TEST_F(Configuration, ReadsUnitsListsAndGroups) {
  const auto config = load({"--drain-delay=1500ms", "--egress-allow", "127.0.0.1:9000, localhost"}, {},
                           "trusted_proxies = ['10.0.0.0/8', '::1']\n[script]\nwall = '5s'\nheap = '128MiB'\n");
  ASSERT_TRUE(config.ok()) << config.error().hint;
  EXPECT_EQ(config->duration("drain_delay").count(), 1500);
  EXPECT_EQ(config->list("egress_allow"), (std::vector<std::string>{"127.0.0.1:9000", "localhost"}));
  EXPECT_EQ(config->list("trusted_proxies"), (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  EXPECT_EQ(config->duration("script_wall").count(), 5000);
  EXPECT_EQ(config->bytes("script_heap"), 128U << 20);
}

TEST_F(Configuration, RefusesWithTheOptionAndItsPlace) {
  EXPECT_EQ(refusal({"--prot", "1"}), "command line: unknown option 'prot', did you mean 'port'?");
  EXPECT_EQ(refusal({"--port", "x"}), "command line: port = 'x' must be a whole number");
  EXPECT_EQ(refusal({"--port", "70000"}), "command line: port = '70000' must be between 0 and 65535");
  EXPECT_EQ(refusal({"--port"}), "command line: --port needs a value");
  EXPECT_EQ(refusal({"port"}), "'port' is no option: options begin with --");
  EXPECT_EQ(refusal({"--idle-timeout=1week"}),
            "command line: idle_timeout = '1week' must be a duration such as 500ms, 10s or 5m");
  EXPECT_EQ(refusal({"--script-heap=99999999999GiB"}),
            "command line: script_heap = '99999999999GiB' must be a size such as 500B, 64KiB or 4MiB");
  EXPECT_EQ(refusal({"--script-wall=1h"}), "command line: script_wall = '1h' must be between 10ms and 5m");
  EXPECT_EQ(refusal({}, {{"MANDATE_LOG_LEVEL", "loud"}}),
            "MANDATE_LOG_LEVEL: log_level = 'loud' must be one of debug|info|warn|error");
  EXPECT_NE(refusal({}, {}, "a = 1\n").find("m.toml:1: unknown option 'a'"), std::string::npos);
  EXPECT_NE(refusal({}, {}, "\nport = 'many'\n").find("m.toml:2: port = 'many' must be"), std::string::npos);
  EXPECT_NE(refusal({}, {}, "port = \n").find("m.toml:1: "), std::string::npos);
  EXPECT_NE(refusal({}, {}, "port = 2024-01-01\n").find("port has no value we can read"), std::string::npos);
  EXPECT_NE(refusal({"--config", directory + "/nothing.toml"}).find("cannot be read"), std::string::npos);
}

TEST_F(Configuration, TheTableExplainsEveryOption) {
  const auto config = load({"--port=1"});
  ASSERT_TRUE(config.ok());
  const std::string text = config->explain();
  for (const Option& option : config_options()) {
    EXPECT_NE(text.find(std::string(option.name) + " = "), std::string::npos) << option.name;
    EXPECT_FALSE(option.what.empty()) << option.name;
  }
  EXPECT_NE(text.find("port = 1  (flag; default 8443)"), std::string::npos) << text;
}

TEST_F(Configuration, AskingForWhatIsNotThereIsABug) {
  const auto config = load({});
  EXPECT_THROW(config->text("colour"), std::logic_error);
  EXPECT_THROW(config->text("port"), std::logic_error);
}

}  // namespace
}  // namespace mandate
