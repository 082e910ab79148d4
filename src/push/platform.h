// The platforms that carry messages to devices.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tenant/tenant.h"

namespace mandate::push {

enum class Platform { apns, gcm, wns, mpns, webpush };

/// "apns", "gcm", "wns", "mpns", "webpush": the words of the wire and of our tables.
std::string_view name(Platform platform);
/// Those words, "fcm" and "fcmv1" for gcm, "browser" for webpush, in any case; nullopt for others.
std::optional<Platform> platform_of(std::string_view word);

/// A browser's subscription (Push API), as it is registered.
struct Subscription {
  std::string endpoint;
  std::string p256dh;  ///< 65 bytes: an uncompressed point of P-256
  std::string auth;    ///< 16 bytes
};
/// Reads {"endpoint","keys":{"p256dh","auth"}}, or with the two beside the endpoint. bad_request.
Result<Subscription> subscription_of(std::string_view handle);
/// The one text of a subscription, so that equal ones are found.
std::string to_handle(const Subscription& subscription);

/// Checks a device's handle: a token for apns and gcm, a channel of the platform's own hosts for wns and mpns, a
/// subscription for webpush. Gives its one spelling. bad_request with what is wrong.
Result<std::string> check_handle(Platform platform, std::string_view handle, const tenant::Push& settings);

/// Whether a WNS channel's host is one that may see the service's access token.
bool is_wns_channel(std::string_view url, const tenant::Push& settings);

}  // namespace mandate::push
