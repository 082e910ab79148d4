// One message in the words of each platform.
#pragma once

#include <string>

#include "base/json.h"
#include "push/platform.h"

namespace mandate::push {

/// A payload as a platform takes it: JSON text, XML or raw, and the headers that go with it.
struct Native {
  std::string payload;
  JsonObject headers;  ///< name → text
};

/// A message without a platform: {"title","body","badge","sound","data":{…}}; the payload for `platform`.
/// apns: aps.alert, data beside it. gcm: notification and data (texts). wns: a toast. mpns: a toast. webpush: as it is.
Native native_of(Platform platform, const JsonObject& message);

/// Headers that the platform asks for and a payload tells: X-WNS-Type by its root element, apns-push-type by "aps".
/// What is given stays.
void complete_headers(Platform platform, std::string_view payload, JsonObject& headers);

/// What a platform refuses in any case: a payload that is not JSON where it must be, or larger than it takes. bad_request.
Result<void> check_payload(Platform platform, std::string_view payload);

}  // namespace mandate::push
