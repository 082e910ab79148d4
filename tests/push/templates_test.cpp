#include "push/templates.h"

#include <gtest/gtest.h>

#include "push/payload.h"

namespace mandate::push {
namespace {

const JsonObject kMessage{{"Message", "Hello \"you\" <b> & more"}, {"name", "Ana"}, {"count", 7}, {"text", "42"}, {"long", "Grüße an alle da draußen"}, {"on", true}};
const JsonObject kDevice{{"device", "phone"}, {"name", "ignored"}};

std::string rendered(Platform platform, std::string_view body) {
  const auto result = render(platform, body, {kMessage, kDevice});
  return result.ok() ? *result : "refused: " + result.error().hint;
}

TEST(Template, APropertyIsPutInAndNamesAreFoundWithoutCase) {
  EXPECT_EQ(rendered(Platform::apns, R"({"aps":{"alert":"$(message)"}})"), R"({"aps":{"alert":"Hello \"you\" <b> & more"}})");
  EXPECT_EQ(rendered(Platform::apns, R"({"a":"$(nothing)","b":"$(device)","c":"$(name)"})"), R"({"a":"","b":"phone","c":"Ana"})");
}

TEST(Template, NumbersStayNumbersWhereTheTemplateAsks) {
  EXPECT_EQ(rendered(Platform::gcm, R"({"data":{"n":"#(count)","t":"#(text)","on":"#(on)","s":"$(count)","none":"#(no)"}})"),
            R"({"data":{"n":7,"t":42,"on":true,"s":"7","none":""}})");
}

TEST(Template, TextIsCutByCharactersWithOrWithoutDots) {
  EXPECT_EQ(rendered(Platform::gcm, R"({"a":"$(long, 4)","b":".(long, 8)","c":".(name, 10)","d":".(name,2)"})"),
            "{\"a\":\"Grüß\",\"b\":\"Grüße...\",\"c\":\"Ana\",\"d\":\"..\"}");
}

TEST(Template, PiecesAreJoinedBetweenBraces) {
  EXPECT_EQ(rendered(Platform::apns, R"({"aps":{"alert":"{'Hi ' + $(name) + ', ' + #(count)}"}})"), R"({"aps":{"alert":"Hi Ana, 7"}})");
  EXPECT_EQ(rendered(Platform::apns, R"({"a":"{'open","b":"{}","c":"{x}"})"), R"({"a":"{'open","b":"{}","c":"{x}"})");
}

TEST(Template, PercentEncodesForAddresses) { EXPECT_EQ(rendered(Platform::gcm, R"({"u":"x?q=%(message)"})"), R"({"u":"x?q=Hello%20%22you%22%20%3Cb%3E%20%26%20more"})"); }

TEST(Template, InXmlWhatIsPutInIsEscaped) {
  EXPECT_EQ(rendered(Platform::wns, R"(<toast launch="{'a' + $(count)}"><text id="1">$(Message)</text></toast>)"),
            R"(<toast launch="a7"><text id="1">Hello &quot;you&quot; &lt;b&gt; &amp; more</text></toast>)");
  EXPECT_EQ(rendered(Platform::wns, "raw $(Message)"), "raw Hello \"you\" <b> & more");
}

TEST(Template, ThatIsNoJsonIsRefusedWhereMessagesAre) {
  EXPECT_FALSE(check_template(Platform::apns, "$(message)").ok());
  EXPECT_FALSE(check_template(Platform::gcm, "[1]").ok());
  EXPECT_TRUE(check_template(Platform::mpns, "$(message)").ok());
  EXPECT_FALSE(check_template(Platform::wns, "\xff").ok());
}

TEST(Template, WhatIsNoExpressionStaysAsItIs) {
  EXPECT_EQ(rendered(Platform::wns, "costs $5 (or $(1)x), %(, .(name), #(name, 3)"), "costs $5 (or x), %(, .(name), #(name, 3)");
}

TEST(Payload, OneMessageInEachPlatformsWords) {
  const JsonObject message{{"title", "T"}, {"body", "B & C"}, {"badge", 3}, {"data", JsonObject{{"id", "7"}}}};
  EXPECT_EQ(native_of(Platform::apns, message).payload, R"({"id":"7","aps":{"alert":{"title":"T","body":"B & C"},"badge":3}})");
  EXPECT_EQ(native_of(Platform::gcm, message).payload, R"({"notification":{"title":"T","body":"B & C"},"data":{"id":"7"}})");
  const Native toast = native_of(Platform::wns, message);
  EXPECT_NE(toast.payload.find("<text id=\"2\">B &amp; C</text>"), std::string::npos);
  EXPECT_EQ(toast.headers.at("X-WNS-Type"), "wns/toast");
  EXPECT_EQ(native_of(Platform::webpush, message).payload, to_json(message));
}

TEST(Payload, HeadersFollowFromWhatIsSent) {
  JsonObject headers;
  complete_headers(Platform::wns, "<?xml version=\"1.0\"?><tile/>", headers);
  EXPECT_EQ(headers.at("X-WNS-Type"), "wns/tile");
  headers = {{"x-wns-type", "wns/raw"}};
  complete_headers(Platform::wns, "<badge value=\"1\"/>", headers);
  EXPECT_EQ(headers.size(), 1U);
  headers = {};
  complete_headers(Platform::apns, R"({"aps":{"content-available":1},"x":2})", headers);
  EXPECT_EQ(headers.at("apns-push-type"), "background");
  EXPECT_EQ(headers.at("apns-priority"), "5");
}

TEST(Payload, WhatAPlatformRefusesIsRefusedAtOnce) {
  EXPECT_FALSE(check_payload(Platform::apns, "text").ok());
  EXPECT_FALSE(check_payload(Platform::apns, "{\"a\":\"" + std::string(4096, 'x') + "\"}").ok());
  EXPECT_TRUE(check_payload(Platform::wns, "text").ok());
}

}  // namespace
}  // namespace mandate::push
