#include "scripts/source.h"

#include "base/embedded.h"

namespace mandate::scripts {

extern const std::span<const EmbeddedFile> kHostFiles;

std::string host_source() {
  std::string all;
  for (const EmbeddedFile& file : kHostFiles) all.append(file.text).append("\n");
  return all;
}

}  // namespace mandate::scripts
