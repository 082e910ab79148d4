// One version of a service's code, for `require`, custom APIs, jobs and extensions (mobile-backend-wire 5.1).
#pragma once

#include <map>
#include <memory>
#include <string>

namespace mandate::scripts {

/// The files below a service's folder that its scripts may see. Immutable and shared by the calls of that version; a
/// Worker is sent it once.
struct Bundle {
  std::string version;  ///< changes with any file; equal versions have equal files
  std::map<std::string, std::string, std::less<>> files;  ///< "shared/x.js", "node_modules/a/index.js" → content; no leading '/'
};

using BundlePtr = std::shared_ptr<const Bundle>;  ///< null: the service has no files beside its table scripts

/// About how much a Worker is sent.
std::size_t bundle_bytes(const Bundle& bundle);
/// The bundle as FrameType::bundle describes it.
std::string bundle_text(const Bundle& bundle);

}  // namespace mandate::scripts
