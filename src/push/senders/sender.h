// One message on its way to one device: what is sent, and what the platform said.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/task.h"
#include "http/fetch.h"
#include "push/platform.h"

namespace mandate::push {

struct Message {
  std::string id;  ///< a UUID, the same in every attempt
  Platform platform = Platform::apns;
  std::string handle, payload;
  JsonObject headers;    ///< name → text
  Millis expires_at = 0;
};

struct Delivered {
  enum class Kind {
    delivered,  ///< the platform took it
    gone,       ///< the device is not there any more: forget it
    refused,    ///< will never be taken
    later,      ///< try again
  };
  Kind kind = Kind::refused;
  int status = 0;              ///< of the platform's answer; 0 when there was none
  std::string reason;          ///< for the owner; no secrets
  std::int64_t wait_ms = 0;    ///< later: what the platform asked for
};

/// Whether an answer can change when asked again: 429, 5xx; with its Retry-After in seconds or as a date.
bool comes_back(int status);
std::int64_t retry_after_ms(const http::Fetched& answer, Millis now);
/// The outcome of a request that had no answer.
Delivered no_answer(const Error& error);

/// The header of that name among `headers`, without case; empty when absent.
std::string_view header(const JsonObject& headers, std::string_view name);

}  // namespace mandate::push
