#include "tests/fault/disk.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <filesystem>

namespace mandate::test {

struct Disk::Vfs : sqlite3_vfs {
  sqlite3_vfs* system = nullptr;
  Disk* disk = nullptr;
};

namespace {

constexpr std::size_t kSector = 512;

/// Ours first, the system's own file object right behind it.
struct File {
  sqlite3_file base;
  Disk* disk;
  std::string* name;
  bool fresh;  ///< its first sync covers the directory too, as the system's VFS does for a journal or WAL it may have made
};
File* ours(sqlite3_file* f) { return reinterpret_cast<File*>(f); }
sqlite3_file* real(sqlite3_file* f) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(f) + sizeof(File)); }
std::string base_name(const char* path) { return std::filesystem::path(path).filename().string(); }

void put(std::string& file, std::int64_t at, std::string_view bytes) {
  const std::size_t end = static_cast<std::size_t>(at) + bytes.size();
  if (file.size() < end) file.resize(end, '\0');
  std::memcpy(file.data() + at, bytes.data(), bytes.size());
}

}  // namespace

struct DiskMethods {
  static int close(sqlite3_file* f) {
    delete ours(f)->name;
    return real(f)->pMethods->xClose(real(f));
  }
  static int write(sqlite3_file* f, const void* in, int size, sqlite3_int64 at) {
    bool partly = false;
    const int rc = ours(f)->disk->refusal(Disk::What::write, partly);
    if (rc && !partly) return rc;
    if (rc) size /= 2;
    const int done = real(f)->pMethods->xWrite(real(f), in, size, at);
    ours(f)->disk->did(
        {Disk::Op::Kind::write, *ours(f)->name, at, std::string(static_cast<const char*>(in), static_cast<std::size_t>(size))});
    return rc ? rc : done;
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    ours(f)->disk->did({Disk::Op::Kind::truncate, *ours(f)->name, size, {}});
    return real(f)->pMethods->xTruncate(real(f), size);
  }
  static int sync(sqlite3_file* f, int flags) {
    bool partly = false;
    const int rc = ours(f)->disk->refusal(Disk::What::sync, partly);
    ours(f)->disk->synced(*ours(f)->name, rc == 0, rc == 0 && std::exchange(ours(f)->fresh, false));
    (void)flags;  // what the real disk does with it does not matter here, and takes long
    return rc;
  }
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out);
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_directory);
};

namespace {

const sqlite3_io_methods kMethods = {
    2,
    DiskMethods::close,
    [](sqlite3_file* f, void* out, int size, sqlite3_int64 at) { return real(f)->pMethods->xRead(real(f), out, size, at); },
    DiskMethods::write,
    DiskMethods::truncate,
    DiskMethods::sync,
    [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); },
    [](sqlite3_file* f, int lock) { return real(f)->pMethods->xLock(real(f), lock); },
    [](sqlite3_file* f, int lock) { return real(f)->pMethods->xUnlock(real(f), lock); },
    [](sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); },
    [](sqlite3_file* f, int op, void* arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); },
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
    },
    [](sqlite3_file* f, int at, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), at, n, flags); },
    [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); },
    nullptr,
    nullptr,
};

}  // namespace

// A VFS above ours is a copy of it and calls our methods with itself: only pAppData leads back.
int DiskMethods::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out) {
  auto* mine = static_cast<Disk::Vfs*>(vfs->pAppData);
  File* file = ours(f);
  file->base.pMethods = nullptr;
  const int rc = mine->system->xOpen(mine->system, name, real(f), flags, out);
  if (rc != SQLITE_OK) return rc;
  file->disk = mine->disk;
  file->name = new std::string(base_name(name));
  file->fresh = (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
  file->base.pMethods = &kMethods;
  return rc;
}

int DiskMethods::remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  auto* mine = static_cast<Disk::Vfs*>(vfs->pAppData);
  const std::string file = base_name(name);
  mine->disk->did({Disk::Op::Kind::remove, file, 0, {}});
  if (sync_directory) mine->disk->synced({}, true, true);
  return mine->system->xDelete(mine->system, name, sync_directory);
}

Disk::Disk() {
  static std::atomic<int> count{0};
  sqlite3_initialize();
  name_ = "disk" + std::to_string(++count);
  registered_ = new Vfs;
  registered_->system = sqlite3_vfs_find("unix");
  registered_->disk = this;
  static_cast<sqlite3_vfs&>(*registered_) = *registered_->system;
  registered_->pNext = nullptr;
  registered_->zName = name_.c_str();
  registered_->pAppData = registered_;
  registered_->szOsFile += static_cast<int>(sizeof(File));
  registered_->xOpen = DiskMethods::open;
  registered_->xDelete = DiskMethods::remove;
  sqlite3_vfs_register(registered_, 0);
}

Disk::~Disk() {
  sqlite3_vfs_unregister(registered_);
  delete registered_;
}

void Disk::fail(int nth, Fault fault) {
  const std::lock_guard lock(mutex_);
  left_ = nth;
  fault_ = fault;
  fired_ = false;
}

void Disk::lift() {
  const std::lock_guard lock(mutex_);
  left_ = 0;
}

bool Disk::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

int Disk::refusal(What what, bool& partly) {
  const std::lock_guard lock(mutex_);
  if (left_ == 0 || (fault_.what != What::any && fault_.what != what)) return 0;
  if (left_ > 1) return --left_, 0;
  if (!fault_.lasting) left_ = 0;
  fired_ = true;
  partly = fault_.partly;
  return fault_.rc;
}

void Disk::did(Op op) {
  const std::lock_guard lock(mutex_);
  ops_.push_back(std::move(op));
}

void Disk::synced(const std::string& file, bool good, bool directory) {
  const std::lock_guard lock(mutex_);
  for (Op& op : ops_) {
    const bool covered = op.kind == Op::Kind::remove ? directory : op.file == file;
    if (!covered || op.durable != SIZE_MAX || op.forgotten) continue;
    if (good) op.durable = ops_.size();
    else op.forgotten = true;
  }
  ops_.push_back({Op::Kind::sync, file, 0, {}});
}

void Disk::begin_with(std::map<std::string, std::string> files) {
  const std::lock_guard lock(mutex_);
  before_ = std::move(files);
}

std::size_t Disk::now() const {
  const std::lock_guard lock(mutex_);
  return ops_.size();
}

std::map<std::string, std::string> Disk::after_cut(std::size_t moment, Unsynced unsynced, std::mt19937& chance) const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> files = before_;
  for (std::size_t i = 0; i < std::min(moment, ops_.size()); ++i) {
    const Op& op = ops_[i];
    const bool sure = op.durable < moment;
    if (op.kind == Op::Kind::sync || (!sure && unsynced == Unsynced::lost)) continue;
    const bool torn = !sure && unsynced == Unsynced::torn;
    if (op.kind == Op::Kind::write) {
      if (!torn) {
        put(files[op.file], op.at, op.bytes);
        continue;
      }
      const std::string_view all = op.bytes;
      for (std::size_t from = 0; from < all.size();) {
        const std::size_t offset = static_cast<std::size_t>(op.at) + from;
        const std::size_t length = std::min(kSector - offset % kSector, all.size() - from);
        if (chance() % 2) put(files[op.file], static_cast<std::int64_t>(offset), all.substr(from, length));
        from += length;
      }
      continue;
    }
    if (torn && chance() % 2) continue;
    if (op.kind == Op::Kind::remove) files.erase(op.file);
    else if (files[op.file].size() > static_cast<std::size_t>(op.at)) files[op.file].resize(static_cast<std::size_t>(op.at));
  }
  return files;
}

}  // namespace mandate::test
