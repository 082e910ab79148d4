// A text file compiled into the binary (cmake: mandate_embed_files).
#pragma once

#include <span>
#include <string_view>

namespace mandate {

struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};

}  // namespace mandate
