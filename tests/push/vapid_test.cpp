#include "push/vapid.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace mandate::push {
namespace {

std::string raw(std::string_view text) { return *base64url_decode(text); }

TEST(WebPush, EncryptsTheExampleOfRfc8291) {  // §5 and appendix A
  const Subscription browser{"https://push.example/x", raw("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
                             raw("BTBZMqHH6r4Tts7J_aSIgg")};
  const auto body = encrypt_webpush("When I grow up, I want to be a watermelon", browser, raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
                                    raw("DGv6ra1nlYgDCS1FRnbzlw"));
  ASSERT_TRUE(body.ok()) << body.error().detail;
  EXPECT_EQ(base64url(*body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf"
            "1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
}

TEST(WebPush, APointThatIsNotOnTheCurveIsRefused) {
  SeededRandom random;
  const Subscription bad{"https://push.example/x", "\x04" + std::string(64, 'a'), std::string(16, 'b')};
  EXPECT_EQ(encrypt_webpush("x", bad, random).error().code, Code::bad_request);
}

TEST(WebPush, AKeyIsThirtyTwoBytesOrPem) {
  const auto key = vapid_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(application_server_key(*key), "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
  const auto again = vapid_key(key->private_pem());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(application_server_key(*again), application_server_key(*key));
  for (const char* bad : {"", "short", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "-----BEGIN NOTHING-----"}) EXPECT_FALSE(vapid_key(bad).ok()) << bad;
}

TEST(WebPush, ASubscriptionIsReadInBothFormsAndWrittenInOne) {
  const std::string p = base64url("\x04" + std::string(64, 'p')), a = base64url(std::string(16, 'a'));
  const auto nested = subscription_of(R"({"endpoint":"https://push.example/1","expirationTime":null,"keys":{"p256dh":")" + p + R"(","auth":")" + a + R"("}})");
  const auto flat = subscription_of(R"({"endpoint":"https://push.example/1","p256dh":")" + p + R"(","auth":")" + a + R"("})");
  ASSERT_TRUE(nested.ok() && flat.ok());
  EXPECT_EQ(to_handle(*nested), to_handle(*flat));
  for (const char* bad : {"", "x", "{}", R"({"endpoint":"ftp://x/","keys":{}})"}) EXPECT_FALSE(subscription_of(bad).ok()) << bad;
}

TEST(Handles, AreCheckedByTheirPlatform) {
  tenant::Push settings;
  EXPECT_EQ(*check_handle(Platform::apns, "ABCDEF01", settings), "abcdef01");
  EXPECT_FALSE(check_handle(Platform::apns, "not hex", settings).ok());
  EXPECT_FALSE(check_handle(Platform::gcm, "a b", settings).ok());
  EXPECT_TRUE(check_handle(Platform::wns, "https://db5.notify.windows.com/?token=x", settings).ok());
  for (const char* bad : {"http://db5.notify.windows.com/", "https://notify.windows.com.evil.example/", "https://evilnotify.windows.com/", "https://u@a.notify.windows.com/",
                          "https://a.notify.windows.com:8443/", "x"})
    EXPECT_FALSE(check_handle(Platform::wns, bad, settings).ok()) << bad;
  settings.wns.channel_hosts = {"localhost:99"};
  EXPECT_TRUE(check_handle(Platform::wns, "http://localhost:99/channel", settings).ok());
}

}  // namespace
}  // namespace mandate::push
