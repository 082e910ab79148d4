// mandate push: what is asked, and the answers for people.
#pragma once

#include <string>

#include "base/json.h"

namespace mandate::cli {

struct PushArguments {
  std::string tags, user, platform, payload, title, body;
  bool registrations = false;
};

/// The body of POST /admin/push. bad_request when the arguments do not go together.
Result<std::string> push_body(const PushArguments& arguments, const std::string& tenant, const std::string& service);
std::string show_filed(const JsonObject& answer);
/// Sends, or registrations.
std::string show_push(const JsonObject& answer);

}  // namespace mandate::cli
