// AC-3: nobody learns from an answer, or from the time it took, which people and clients there are. 300 samples an arm, taken in
// turns; what is compared is the work done (hashes counted, processor time of the whole process), which other programs on
// the machine do not change.
#include <gtest/gtest.h>

#include <ctime>

#include "base/url.h"
#include "tests/support/test_loop.h"
#include "tests/wire/fixture.h"

namespace mandate::wire {
namespace {

using Form = std::vector<std::pair<std::string, std::string>>;
constexpr int kSamples = 300;

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

class Enumeration : public ::testing::Test {
 protected:
  Enumeration() {
    EXPECT_TRUE(test::run(loop, fixture.house->open()).ok());
    http::Request owner = fixture.owner_request();
    const auto applied = test::run(loop, fixture.house->owner_routes()->answer(owner));
    EXPECT_TRUE(applied.ok() && applied->status == 200);
  }
  ~Enumeration() override {
    fixture.house->stop();
    for (int i = 0; i < 3; ++i) (void)test::run(loop, sleep_for(std::chrono::milliseconds(1)));
  }

  http::Response post(const std::string& path, const Form& fields) {
    std::string body;
    for (const auto& [name, value] : fields) body += (body.empty() ? "" : "&") + name + "=" + percent_encode(value);
    http::Request request;
    request.method = http::Method::post;
    request.target = request.path = path;
    request.host = kHost;
    request.secure = true;
    request.peer = "192.0.2.7";
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    request.body = body;
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    auto answered = test::run(loop, fixture.house->routes()->answer(request));
    EXPECT_TRUE(answered.ok());
    return answered.ok() ? std::move(*answered) : http::Response(0);
  }

  /// Hashes made or checked so far.
  double hashes() {
    const std::string text = fixture.metrics.prometheus_text();
    const std::string_view name = "mandate_identity_password_hash_seconds_count";
    const std::size_t at = text.find("\n" + std::string(name));
    return at == std::string::npos ? 0 : std::atof(text.c_str() + text.find(' ', at + 1));
  }

  struct Arm {
    std::vector<double> seconds;
    double hashes = 0;
    std::set<std::string> answers;
  };
  void sample(Arm& arm, const std::string& path, const Form& fields) {
    fixture.clock.advance(std::chrono::hours(25));  // no lock and no limit of an earlier sample is left
    const double counted = hashes(), begin = processor_seconds();
    const http::Response answer = post(path, fields);
    arm.seconds.push_back(processor_seconds() - begin);
    arm.hashes += hashes() - counted;
    std::string shown = std::to_string(answer.status) + " " + answer.body;
    for (const auto& field : answer.headers.all())
      if (field.name != "X-RateLimit-Reset") shown += "\n" + field.name + ": " + field.value;
    arm.answers.insert(std::move(shown));
  }
  static void expect_alike(const Arm& known, const Arm& unknown, const char* door) {
    const double a = median(known.seconds), b = median(unknown.seconds);
    EXPECT_LT(std::abs(a - b), 0.3 * std::max(a, b)) << door << ": known " << a << " s, unknown " << b << " s";
    EXPECT_EQ(known.hashes, unknown.hashes) << door;
  }

  test::TestLoop loop;
  Fixture fixture{identity::PasswordCost{.memory_bytes = 4 << 20, .passes = 1}};
};

TEST_F(Enumeration, AWrongPasswordTellsNotWhetherThePersonExists) {
  Arm known, unknown;
  const auto guess = [](std::string who) {
    return Form{{"client_id", "todo"}, {"connection", "Username-Password-Authentication"}, {"username", std::move(who)},
                {"password", "not the password"}, {"grant_type", "password"}, {"scope", "openid"}};
  };
  for (int i = 0; i < kSamples; ++i) {
    sample(known, "/oauth/ro", guess("ana@example.org"));
    sample(unknown, "/oauth/ro", guess("eve@example.org"));
  }
  EXPECT_EQ(known.answers, unknown.answers);
  EXPECT_EQ(known.answers.size(), 1U);
  EXPECT_EQ(known.hashes, kSamples);
  expect_alike(known, unknown, "/oauth/ro");
}

TEST_F(Enumeration, AWrongSecretTellsNotWhetherTheClientExists) {
  Arm known, unknown;
  const auto guess = [](std::string who) {
    return Form{{"client_id", std::move(who)}, {"client_secret", "not the secret"}, {"grant_type", "client_credentials"}, {"audience", "https://orders.example"}};
  };
  for (int i = 0; i < kSamples; ++i) {
    sample(known, "/oauth/token", guess("worker"));
    sample(unknown, "/oauth/token", guess("nobody"));
  }
  EXPECT_EQ(known.answers, unknown.answers);
  EXPECT_EQ(known.answers.size(), 1U);
  expect_alike(known, unknown, "/oauth/token");
}

TEST_F(Enumeration, SigningUpCostsTheSameWhetherTheAddressIsTaken) {
  Arm taken, free;
  const auto sign_up = [](std::string who) {
    return Form{{"client_id", "todo"}, {"connection", "Username-Password-Authentication"}, {"email", std::move(who)}, {"password", "a long enough passphrase"}};
  };
  for (int i = 0; i < kSamples; ++i) {
    sample(taken, "/dbconnections/signup", sign_up("ana@example.org"));
    sample(free, "/dbconnections/signup", sign_up("new" + std::to_string(i) + "@example.org"));
  }
  EXPECT_EQ(taken.hashes, free.hashes);
  EXPECT_EQ(taken.hashes, kSamples);
  // What is told is the contract's (identity-wire 1.11): that it did not work, not why.
  EXPECT_EQ(taken.answers.size(), 1U);
  EXPECT_NE(taken.answers.begin()->find("invalid_signup"), std::string::npos);
}

}  // namespace
}  // namespace mandate::wire
