// Looks at every page and every index entry.
#pragma once

#include <string>

#include "store/sqlite/reader.h"

namespace mandate::store::sqlite {

/// Names each damaged table with the first things found in it; empty when sound (RL-21).
Result<std::string> check(Reader& reader);

}  // namespace mandate::store::sqlite
