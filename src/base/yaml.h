// YAML as people write it, read into the same trees as JSON and with the same limits. A program that calls parse_yaml links
// yaml-cpp.
#pragma once

#include "base/json.h"

namespace mandate {

/// One document. Mappings, sequences, plain and quoted scalars, block scalars, anchors with aliases (each alias counts with
/// all it stands for, so that no file grows in memory). Plain scalars: null, true, false and decimal numbers mean what they
/// say, all else is text; "yes", "0123" and dates are text. Refused with invalid_request, the hint naming line and column:
/// syntax, two documents, tags, keys that are not text, the same key twice, merge keys, anything over the limits;
/// payload_too_large for `bytes`.
Result<Json> parse_yaml(std::string_view text, const JsonLimits& limits = {});

/// Writes block style that parse_yaml reads back as the same tree. Members keep their order.
std::string to_yaml(const Json& value);

}  // namespace mandate
