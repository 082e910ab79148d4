// What shall be sent: filed first, carried by the runner, kept for a week with what came of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "push/platform.h"
#include "store/pieces.h"

namespace mandate::push {

inline constexpr std::size_t kMostHandles = 1000;

/// What a send's payload is.
enum class SendKind {
  native,    ///< a payload of `platform`, for registrations without a template
  filled,    ///< properties (JSON), for registrations with a template
  message,   ///< {"title","body",…}: a native payload is made for each platform
  direct,    ///< a payload of `platform` for the devices in `handles`, registered or not
};
std::string_view name(SendKind kind);  ///< "native", "template", "message", "direct"

struct Send {
  std::string service;
  SendKind kind = SendKind::filled;
  std::optional<Platform> platform;  ///< native, direct
  std::string expression;            ///< of tags; empty = everybody
  std::string payload;
  JsonObject headers;
  std::vector<std::string> handles;
  Millis expires_at = 0;             ///< 0 = in a day
};

/// One as it stands: {"id","kind","state","targets","delivered","gone","failed",…}.
JsonObject shown(const store::Row& row);

/// Thread-safe.
class Sends {
 public:
  /// `wake` is called after each filing, from any thread.
  Sends(const Clock& clock, Random& random, std::function<void()> wake) : clock_(clock), random_(random), wake_(std::move(wake)) {}

  /// Durable when it returns; gives the id. bad_request: expression, payload, handles.
  Task<std::string> file(store::Store& store, Send send);
  /// The newest first.
  Task<std::vector<JsonObject>> list(store::Store& store, std::string service, std::int64_t most);
  /// Devices found gone since the last reading: {"deviceToken","timeSent"}. They are told of once.
  Task<JsonArray> feedback(store::Store& store, std::string service, Platform platform);

 private:
  const Clock& clock_;
  Random& random_;
  std::function<void()> wake_;
};

/// Removes what is older than a week, and feedback older than a month.
store::Batch sweep_sends(Millis now);
/// The devices and messages of a service that goes.
std::vector<store::Bunch> forgetting(const std::string& service);

}  // namespace mandate::push
