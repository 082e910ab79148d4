// A file's content as the store keeps it: deflated, in base64, since a column holds text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mandate::tables::code {

std::string pack(std::string_view content);
/// Code::corrupt when it is not what pack() made of `size` bytes.
Result<std::string> unpack(std::string_view packed, std::int64_t size);

}  // namespace mandate::tables::code
