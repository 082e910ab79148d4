// A tenant's file as it lies on disk: YAML or JSON, with scripts in files beside it and values from the environment.
#pragma once

#include <string>

#include "base/json.h"

namespace mandate::cli {

/// Reads the file, puts the text of scripts in the place of their names ("insert: scripts/TodoItem.insert.js", relative to
/// the file) and replaces ${NAME} and ${NAME:-otherwise} in every other text by the environment's value.
/// invalid_request, the hint naming file and place.
Result<Json> read_tenant_file(const std::string& path);

/// Whole file, at most `most` bytes.
Result<std::string> read_file(const std::string& path, std::size_t most = 4 << 20);

}  // namespace mandate::cli
