// Answers of the server, for people.
#pragma once

#include <string>

#include "base/json.h"

namespace mandate::cli {

/// The difference a file makes, one object after another: "+" made, "~" changed, "-" taken away.
std::string show_applied(const JsonObject& answer);
std::string show_check(const JsonObject& answer);
std::string show_status(const JsonObject& answer);
std::string show_scripts(const JsonObject& answer);
std::string show_keys(const JsonObject& answer);
std::string show_log_line(const JsonObject& line);

}  // namespace mandate::cli
