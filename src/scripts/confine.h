// What the kernel takes away from a script child before Node starts in it. JavaScript is kept in by the child's own
// source; this is the wall behind that wall (SC-1).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include <linux/filter.h>

namespace mandate::scripts {

struct Confinement {
  bool change_user = false;  ///< when we are root
  uid_t uid = 0;
  gid_t gid = 0;
  std::size_t data_bytes = 0;            ///< RLIMIT_DATA: bounds heaps and Buffers together
  std::vector<std::string> readable;     ///< folders and files that may be read; where the kernel has Landlock
  std::vector<sock_filter> syscalls;     ///< see syscall_filter
};

/// Refuses new processes and programs, sockets, opening for writing, changes to files, tracing, mounting and the like;
/// everything else, which Node needs, is allowed. execve passes only with `program` itself, the pointer, so the filter
/// can be set before the one exec that starts Node. Empty on an architecture it is not written for.
std::vector<sock_filter> syscall_filter(const char* program);

/// Applies it to the calling process. Async-signal-safe: called between fork and exec. False when something that must
/// hold could not be set.
bool confine(const Confinement& confinement) noexcept;

}  // namespace mandate::scripts
