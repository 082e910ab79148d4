#include "jose/jws.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/base64.h"

namespace mandate::jose {
namespace {

const std::vector<Alg> kAll = {Alg::HS256, Alg::HS384, Alg::HS512, Alg::RS256, Alg::RS384, Alg::RS512, Alg::PS256,
                               Alg::PS384, Alg::PS512, Alg::ES256, Alg::ES384, Alg::ES512, Alg::EdDSA};

const Key& key_of(Alg alg) {
  static std::map<Alg, Key> keys;
  auto found = keys.find(alg);
  if (found == keys.end()) found = keys.emplace(alg, Key::generate(alg).value()).first;
  return found->second;
}

std::string header(std::string_view alg) { return "{\"alg\":\"" + std::string(alg) + "\"}"; }
std::string joined(std::string_view h, std::string_view p, std::string_view s) {
  return base64url(h) + "." + base64url(p) + "." + base64url(s);
}

TEST(Jws, EveryAlgorithmVerifiesWhatItSignedAndNothingElse) {
  for (const Alg alg : kAll) {
    const std::string token = sign_compact(key_of(alg), header(name(alg)), "payload").value();
    auto parts = parse_compact(token);
    ASSERT_TRUE(parts.ok()) << name(alg);
    EXPECT_TRUE(verify(*parts, key_of(alg))) << name(alg);
    EXPECT_TRUE(verify(*parts, key_of(alg))) << name(alg) << ": the kept context works again";
    parts->signature.back() ^= 1;
    EXPECT_FALSE(verify(*parts, key_of(alg))) << name(alg);
    parts->signature.back() ^= 1;
    EXPECT_TRUE(verify(*parts, key_of(alg))) << name(alg) << ": a failure does not spoil the kept context";
    parts->signature.pop_back();
    EXPECT_FALSE(verify(*parts, key_of(alg))) << name(alg);
  }
}

TEST(Jws, AKeyVerifiesOnlyTokensOfItsOwnAlgorithm) {
  for (const Alg mine : kAll) {
    const std::string token = sign_compact(key_of(mine), header(name(mine)), "payload").value();
    for (const Alg other : kAll)
      EXPECT_EQ(verify(parse_compact(token).value(), key_of(other)), mine == other) << name(mine) << " " << name(other);
  }
}

TEST(Jws, ATokenThatOnlyClaimsTheKeysAlgorithmIsRefused) {
  for (const Alg mine : kAll)
    for (const Alg claimed : kAll) {
      if (mine == claimed) continue;
      const std::string token = sign_compact(key_of(mine), header(name(claimed)), "payload").value();
      EXPECT_FALSE(verify(parse_compact(token).value(), key_of(mine)));
      EXPECT_FALSE(verify(parse_compact(token).value(), key_of(claimed)));
    }
}

TEST(Jws, AnHmacMadeWithAPublicKeyIsRefusedInEverySpelling) {
  for (const Alg alg : {Alg::RS256, Alg::PS256, Alg::ES256, Alg::EdDSA}) {
    const Key& key = key_of(alg);
    const std::string pem = key.public_pem();
    const std::string der = base64_any_decode([&] {
                              std::string body;
                              for (std::size_t i = pem.find('\n') + 1; i < pem.rfind("-----END"); ++i)
                                if (pem[i] != '\n') body += pem[i];
                              return body;
                            }())
                                .value();
    for (const std::string& secret : {pem, pem.substr(0, pem.size() - 1), der, to_json(key.public_jwk())})
      for (const std::string_view spelt : {"HS256", " HS256", "hs256"}) {
        const std::string token = sign_compact(Key::hmac(Alg::HS256, secret), header(spelt), "{}").value();
        EXPECT_FALSE(verify(parse_compact(token).value(), key)) << name(alg) << spelt;
      }
  }
}

TEST(Jws, NoneInAnySpellingAndAMissingAlgNeverVerify) {
  for (const char* h : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"NONE"})", R"({"alg":"nOnE"})", R"({"alg":""})",
                        R"({})", R"({"alg":null})", R"({"alg":["HS256"]})", R"({"alg":0})"}) {
    const auto empty = parse_compact(joined(h, "{}", ""));
    EXPECT_FALSE(empty.ok()) << h;
    const auto parts = parse_compact(joined(h, "{}", "x"));
    for (const Alg alg : kAll) EXPECT_FALSE(parts.ok() && verify(*parts, key_of(alg))) << h;
  }
}

TEST(Jws, WhatTheCompactFormDoesNotAllowIsRefused) {
  const std::string good = sign_compact(key_of(Alg::HS256), header("HS256"), "{}").value();
  const auto with_header = [](const char* h) { return sign_compact(key_of(Alg::HS256), h, "{}").value(); };
  const std::vector<std::string> bad = {"",
                                        ".",
                                        "..",
                                        "...",
                                        "a.b",
                                        good + ".",
                                        good + ".x.y.z",
                                        "." + good,
                                        good + "=",
                                        good + "\n",
                                        " " + good,
                                        std::string(1 << 20, '.'),
                                        with_header(R"({"alg":"HS256","crit":["exp"]})"),
                                        with_header(R"({"alg":"HS256","crit":[]})"),
                                        with_header(R"({"alg":"HS256","b64":false})"),
                                        with_header(R"({"alg":"HS256","b64":true})"),
                                        with_header(R"({"alg":"HS256","zip":"DEF"})"),
                                        with_header(R"({"alg":"PBES2-HS256+A128KW","enc":"A128GCM"})"),
                                        with_header(R"({"alg":"HS256","alg":"HS256"})"),
                                        with_header(R"({"alg":"HS256"} )"
                                                    "x"),
                                        with_header(R"(["HS256"])"),
                                        with_header("\xEF\xBB\xBF{\"alg\":\"HS256\"}"),
                                        with_header(R"({"alg":"HS256","kid":["a"]})"),
                                        with_header(R"({"alg":"HS256","kid":0})"),
                                        with_header(R"({"alg":"HS256","kid":"a\u0000b"})"),
                                        with_header(R"({"alg":"HS256","kid":"a\nb"})"),
                                        with_header(("{\"alg\":\"HS256\",\"kid\":\"" + std::string(129, 'k') + "\"}").c_str()),
                                        with_header(R"({"alg":"HS256","typ":7})")};
  for (const std::string& token : bad) {
    const auto before = std::chrono::steady_clock::now();
    const auto parts = parse_compact(token);
    EXPECT_FALSE(parts.ok()) << token.substr(0, 80);
    if (!parts.ok()) EXPECT_EQ(parts.error().code, Code::invalid_token);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(50)) << "generous for a sanitized build";
  }
  EXPECT_TRUE(parse_compact(good).ok());
  EXPECT_TRUE(parse_compact(with_header(R"({"alg":"HS256","kid":"../../etc'; DROP TABLE keys --"})")).ok())
      << "a strange kid is only an unknown one";
}

TEST(Jws, TheNumberZeroIsAKidOnlyWhereTheCallerSaysSo) {
  const std::string token = sign_compact(key_of(Alg::HS256), R"({"alg":"HS256","kid":0})", "{}").value();
  EXPECT_FALSE(parse_compact(token).ok());
  EXPECT_TRUE(parse_compact(token, KidForm::text_or_number).ok());
}

TEST(Jws, KeysAndAddressesInsideTheHeaderAreNotBelieved) {
  const Key stranger = Key::generate(Alg::ES256).value();
  const std::string h = R"({"alg":"ES256","jku":"https://evil.example/","x5u":"https://evil.example/","jwk":)" +
                        to_json(stranger.public_jwk()) + "}";
  const std::string token = sign_compact(stranger, h, "{}").value();
  EXPECT_FALSE(verify(parse_compact(token).value(), key_of(Alg::ES256)));
}

TEST(Jws, APublicKeyAndAnEmptySecretDoNotSign) {
  const Key open = Key::from_jwk(key_of(Alg::ES256).public_jwk()).value();
  EXPECT_EQ(sign_compact(open, header("ES256"), "{}").error().code, Code::server_error);
  EXPECT_EQ(sign_compact(Key::hmac(Alg::HS256, ""), header("HS256"), "{}").error().code, Code::server_error);
  EXPECT_FALSE(verify(parse_compact(sign_compact(Key::hmac(Alg::HS256, "x"), header("HS256"), "{}").value()).value(),
                      Key::hmac(Alg::HS256, "")));
}

TEST(Jws, OneKeyServesManyThreadsAtOnce) {
  const Key key = Key::generate(Alg::ES256).value();
  const Key secret = Key::generate(Alg::HS256).value();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const std::string payload = std::to_string(t) + "-" + std::to_string(i);
        for (const Key* k : {&key, &secret}) {
          const std::string token = sign_compact(*k, header(name(k->alg())), payload).value();
          const auto parts = parse_compact(token);
          if (!parts.ok() || parts->payload != payload || !verify(*parts, *k)) ++wrong;
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace mandate::jose
