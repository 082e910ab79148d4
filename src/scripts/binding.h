// What JavaScript may call. Upper rooms implement it; scripts/ knows neither tables nor people.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/task.h"

namespace mandate::scripts {

/// One running call's door to the house. Lives until the call has ended; called on the loop that started the call.
class Binding {
 public:
  virtual ~Binding() = default;
  /// `method` is a dotted word such as "request.execute", "tables.read", "console.log"; `arguments` is what the script gave.
  /// The value goes back into the script; an Error becomes a JavaScript Error with `code`, `message` = hint and
  /// `statusCode`.
  virtual Task<Json> invoke(std::string_view method, Json arguments) = 0;
  /// A line of console output; must not throw. level: "log", "info", "warn", "error".
  virtual void console(std::string_view level, std::string_view text) = 0;
};

}  // namespace mandate::scripts
