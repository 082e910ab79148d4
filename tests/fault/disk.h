// A disk that can be cut off and that can refuse: a SQLite VFS over the system's own which remembers every
// write and sync.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

struct sqlite3_file;
struct sqlite3_vfs;

namespace mandate::test {

/// Make it before the store that uses it and keep it until after. Thread-safe.
class Disk {
 public:
  Disk();
  ~Disk();
  Disk(const Disk&) = delete;

  /// Name of the VFS, for SqliteOptions::vfs.
  const std::string& vfs() const { return name_; }

  // Refusing.

  enum class What { any, write, sync };
  struct Fault {
    What what = What::any;
    int rc = 0;            ///< what SQLite is told, e.g. SQLITE_IOERR_FSYNC
    bool partly = false;   ///< half of the bytes are written before the refusal
    bool lasting = false;  ///< so do all the following ones, until lift()
  };
  /// The `nth` matching call from now (from 1) is refused.
  void fail(int nth, Fault fault);
  void lift();
  bool fired() const;

  // Cutting the power.

  /// What is on the disk before the first call, where the files as they can be read are not what is on the disk: after
  /// another process could not sync them.
  void begin_with(std::map<std::string, std::string> files);

  /// How many calls there have been: a moment to cut at.
  std::size_t now() const;
  /// What happens to writes that no sync has covered yet.
  enum class Unsynced { lost, kept, torn };  ///< torn: each sector of 512 bytes for itself, by chance
  /// The files as they are after a power cut at `moment`, by name without directory.
  std::map<std::string, std::string> after_cut(std::size_t moment, Unsynced unsynced, std::mt19937& chance) const;

 private:
  friend struct DiskMethods;
  struct Op {
    enum class Kind { write, truncate, remove, sync } kind;
    std::string file;
    std::int64_t at = 0;  ///< offset, or size
    std::string bytes;
    std::size_t durable = SIZE_MAX;  ///< the call that made it so
    bool forgotten = false;  ///< a sync failed after it: the kernel took it for written, no later sync helps
  };
  struct Vfs;

  void did(Op op);
  /// `directory`: names that went away are gone for good now.
  void synced(const std::string& file, bool good, bool directory);
  /// The code to refuse with, or 0.
  int refusal(What what, bool& partly);

  std::string name_;
  Vfs* registered_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> before_;
  std::vector<Op> ops_;
  Fault fault_;
  int left_ = 0;
  bool fired_ = false;
};

}  // namespace mandate::test
