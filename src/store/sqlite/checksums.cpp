#include "store/sqlite/checksums.h"

#include <sqlite3.h>

#include <map>
#include <mutex>

#include "store/sqlite/handle.h"

namespace mandate::store::sqlite {
namespace {

constexpr int kPage = 4096, kSum = 8, kReservedAt = 20;  // byte 20 of the file's header says how much of a page is reserved

/// Ours first, the system's own file object right behind it.
struct File {
  sqlite3_file base;
  bool summed;  ///< the header says that pages end in a checksum
};
static_assert(sizeof(File) % alignof(std::max_align_t) == 0);

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File)); }
File* ours(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

std::uint64_t rotate(std::uint64_t x, int by) { return x << by | x >> (64 - by); }

/// Four lanes, so that the multiplications overlap. Against accidents, not against people.
std::uint64_t sum_of(const unsigned char* page, sqlite3_int64 offset) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
  std::uint64_t lane[4] = {kOdd, ~kOdd, static_cast<std::uint64_t>(offset) + 1, kOdd << 7};
  for (int i = 0; i < kPage - kSum; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, page + i, 8);
    std::uint64_t& l = lane[i / 8 % 4];
    l = rotate((l ^ word) * kOdd, 29);
  }
  std::uint64_t h = lane[0];
  for (int i = 1; i < 4; ++i) h = rotate((h ^ lane[i]) * kOdd, 31);
  return h ^ h >> 32;
}

bool whole_page(int size, sqlite3_int64 offset) { return size == kPage && offset % kPage == 0; }

void read_header(File* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (offset == 0 && size > kReservedAt) file->summed = static_cast<const unsigned char*>(bytes)[kReservedAt] == kSum;
}

int do_read(sqlite3_file* f, void* out, int size, sqlite3_int64 offset) {
  const int rc = real(f)->pMethods->xRead(real(f), out, size, offset);
  if (rc != SQLITE_OK) return rc;
  read_header(ours(f), out, size, offset);
  if (!ours(f)->summed || !whole_page(size, offset)) return rc;
  const auto* page = static_cast<const unsigned char*>(out);
  std::uint64_t kept;
  std::memcpy(&kept, page + kPage - kSum, kSum);
  if (kept == sum_of(page, offset)) return SQLITE_OK;
  sqlite3_log(SQLITE_IOERR_DATA, "checksum of page %lld does not match", offset / kPage + 1);
  return SQLITE_IOERR_DATA;
}

int do_write(sqlite3_file* f, const void* in, int size, sqlite3_int64 offset) {
  read_header(ours(f), in, size, offset);
  if (!ours(f)->summed || !whole_page(size, offset)) return real(f)->pMethods->xWrite(real(f), in, size, offset);
  alignas(8) unsigned char page[kPage];
  std::memcpy(page, in, kPage - kSum);
  const std::uint64_t sum = sum_of(page, offset);
  std::memcpy(page + kPage - kSum, &sum, kSum);
  return real(f)->pMethods->xWrite(real(f), page, kPage, offset);
}

/// Reading parts of pages past the cache would go past the checksum too.
int do_characteristics(sqlite3_file* f) {
  return real(f)->pMethods->xDeviceCharacteristics(real(f)) & ~SQLITE_IOCAP_SUBPAGE_READ;
}

const sqlite3_io_methods kMethods = {
    2,  // no memory mapping: xFetch would show pages unchecked
    [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
    do_read,
    do_write,
    [](sqlite3_file* f, sqlite3_int64 size) { return real(f)->pMethods->xTruncate(real(f), size); },
    [](sqlite3_file* f, int flags) { return real(f)->pMethods->xSync(real(f), flags); },
    [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); },
    [](sqlite3_file* f, int lock) { return real(f)->pMethods->xLock(real(f), lock); },
    [](sqlite3_file* f, int lock) { return real(f)->pMethods->xUnlock(real(f), lock); },
    [](sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); },
    [](sqlite3_file* f, int op, void* arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); },
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    do_characteristics,
    [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
    },
    [](sqlite3_file* f, int offset, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), offset, n, flags); },
    [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); },
    nullptr,
    nullptr,
};

/// The methods below, and which VFS lies beneath ours.
struct Vfs : sqlite3_vfs {
  sqlite3_vfs* below = nullptr;
  std::string name;
};

int do_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  sqlite3_vfs* below = static_cast<Vfs*>(vfs)->below;
  if (!(flags & SQLITE_OPEN_MAIN_DB)) return below->xOpen(below, name, f, flags, out_flags);
  File* file = ours(f);
  file->base.pMethods = nullptr;
  file->summed = false;
  const int rc = below->xOpen(below, name, real(f), flags, out_flags);
  if (rc != SQLITE_OK) {
    if (real(f)->pMethods) real(f)->pMethods->xClose(real(f));
    return rc;
  }
  file->base.pMethods = &kMethods;
  unsigned char header[kReservedAt + 1] = {};
  if (real(f)->pMethods->xRead(real(f), header, sizeof header, 0) == SQLITE_OK) read_header(file, header, sizeof header, 0);
  return SQLITE_OK;
}

}  // namespace

const char* checksum_vfs(const std::string& below) {
  // SQLite keeps VFSs in one list for the whole process, for as long as it lives; so do we.
  static std::mutex mutex;
  static std::map<std::string, Vfs> made;
  const std::lock_guard lock(mutex);
  if (const auto known = made.find(below); known != made.end()) return known->second.name.c_str();
  sqlite3_initialize();
  sqlite3_vfs* beneath = sqlite3_vfs_find(below.empty() ? nullptr : below.c_str());
  if (!beneath) return nullptr;
  Vfs& vfs = made[below];
  static_cast<sqlite3_vfs&>(vfs) = *beneath;
  vfs.below = beneath;
  vfs.name = below.empty() ? "mandate" : "mandate-" + below;
  vfs.pNext = nullptr;
  vfs.zName = vfs.name.c_str();
  vfs.szOsFile += static_cast<int>(sizeof(File));
  vfs.xOpen = do_open;
  if (sqlite3_vfs_register(&vfs, 0) == SQLITE_OK) return vfs.zName;
  made.erase(below);
  return nullptr;
}

Result<void> reserve_checksums(sqlite3* db) {
  int bytes = kSum;
  const int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
  if (rc != SQLITE_OK) return error_of(db, rc, Access::read);
  return {};
}

}  // namespace mandate::store::sqlite
