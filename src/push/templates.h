// Templates of devices: their own words around properties of a message, as notification hubs had them.
//
//   value      := expression | "{" expression { "+" expression } "}" | text with expressions in it
//   expression := "$(" name [ "," n ] ")"   the property's text, cut to n characters
//               | ".(" name "," n ")"       cut to n characters, the last three of them dots
//               | "%(" name ")"             percent-encoded
//               | "#(" name ")"             in JSON: the property as the number, truth or object that it is
//               | "'" text "'"              between braces only
//
// In a JSON body (apns, gcm, webpush) the values of text members are templates; in others the whole text is, and what is
// put in is escaped for XML where the body is XML. Names are found without case; an unknown property is empty text.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "push/platform.h"

namespace mandate::push {

/// Where a template's properties come from: the message's first, then the device's own variables.
struct Properties {
  const JsonObject& message;
  const JsonObject& device;
};

/// Whether the body is one that render() can do: JSON where the platform's messages are. bad_request.
Result<void> check_template(Platform platform, std::string_view body);

/// The native payload for one device. bad_request for a body that check_template refuses.
Result<std::string> render(Platform platform, std::string_view body, const Properties& properties);

/// One value by itself: of a header, or of an expiry.
std::string render_text(std::string_view text, const Properties& properties);

}  // namespace mandate::push
