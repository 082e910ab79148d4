// The file in a data directory that says it is not to be used: its data has moved away, or is not yet all there.
#pragma once

#include <string>

#include "store/move.h"

namespace mandate::store::sqlite {

/// An empty mark when there is none.
Result<MoveMark> read_mark(const std::string& directory);
/// Durable before it returns.
Result<void> write_mark(const std::string& directory, const MoveMark& mark);
/// As far as it can: for a mark that could not be made durable.
void remove_mark(const std::string& directory);
/// conflict, the hint saying where the data is, when a server must not start here.
Result<void> check_mark(const std::string& directory);

}  // namespace mandate::store::sqlite
