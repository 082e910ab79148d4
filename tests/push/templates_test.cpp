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
  EXPECT_EQ(rendered(Platform::apns, R"j({"aps":{"alert":"$(message)"}})j"), R"j({"aps":{"alert":"Hello \"you\" <b> & more"}})j");
  EXPECT_EQ(rendered(Platform::apns, R"j({"a":"$(nothing)","b":"$(device)","c":"$(name)"})j"), R"j({"a":"","b":"phone","c":"Ana"})j");
}

TEST(Template, NumbersStayNumbersWhereTheTemplateAsks) {
  EXPECT_EQ(rendered(Platform::gcm, R"j({"data":{"n":"#(count)","t":"#(text)","on":"#(on)","s":"$(count)","none":"#(no)"}})j"),
            R"j({"data":{"n":7,"t":42,"on":true,"s":"7","none":""}})j");
}

TEST(Template, TextIsCutByCharactersWithOrWithoutDots) {
  EXPECT_EQ(rendered(Platform::gcm, R"j({"a":"$(long, 4)","b":".(long, 8)","c":".(name, 10)","d":".(name,2)"})j"),
            "{\"a\":\"Grüß\",\"b\":\"Grüße...\",\"c\":\"Ana\",\"d\":\"..\"}");
}

TEST(Template, PiecesAreJoinedBetweenBraces) {
  EXPECT_EQ(rendered(Platform::apns, R"j({"aps":{"alert":"{'Hi ' + $(name) + ', ' + #(count)}"}})j"), R"j({"aps":{"alert":"Hi Ana, 7"}})j");
  EXPECT_EQ(rendered(Platform::apns, R"j({"a":"{'open","b":"{}","c":"{x}"})j"), R"j({"a":"{'open","b":"{}","c":"{x}"})j");
}

TEST(Template, PercentEncodesForAddresses) { EXPECT_EQ(rendered(Platform::gcm, R"j({"u":"x?q=%(message)"})j"), R"j({"u":"x?q=Hello%20%22you%22%20%3Cb%3E%20%26%20more"})j"); }

TEST(Template, InXmlWhatIsPutInIsEscaped) {
  EXPECT_EQ(rendered(Platform::wns, R"j(<toast launch="{'a' + $(count)}"><text id="1">$(Message)</text></toast>)j"),
            R"j(<toast launch="a7"><text id="1">Hello &quot;you&quot; &lt;b&gt; &amp; more</text></toast>)j");
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
  EXPECT_EQ(native_of(Platform::apns, message).payload, R"j({"id":"7","aps":{"alert":{"title":"T","body":"B & C"},"badge":3}})j");
  EXPECT_EQ(native_of(Platform::gcm, message).payload, R"j({"notification":{"title":"T","body":"B & C"},"data":{"id":"7"}})j");
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
  complete_headers(Platform::apns, R"j({"aps":{"content-available":1},"x":2})j", headers);
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
