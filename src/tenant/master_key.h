// The key that seals secrets, and the privacy of the files around it (KS-1, KS-2).
#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"

namespace mandate::tenant {

/// "./var" → "./mandate.key": beside the data directory, so that a copy of the data is not a copy of the key.
std::string default_master_key_file(const std::string& data_dir);

/// Reads the key, or makes it (0600) when there is neither key nor data. Errors (invalid_request, one clear line): group or
/// others may read it, it lies inside the data directory, it is not what we wrote, or data is there but the key is gone.
Result<std::string> load_or_create_master_key(const std::string& file, const std::string& data_dir, Random& random);

/// Makes the directory with mode 0700 when absent; refuses one that group or others may enter, and one we cannot write.
Result<void> ensure_private_directory(const std::string& path);

}  // namespace mandate::tenant
