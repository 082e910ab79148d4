// A JSON object written down in a test.
#pragma once

#include <string_view>

#include "base/json.h"

namespace mandate::jose {

inline JsonObject object(std::string_view text) { return parse_json(text)->get_object(); }

}  // namespace mandate::jose
