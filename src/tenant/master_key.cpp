#include "tenant/master_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/base64.h"

namespace mandate::tenant {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kKeyBytes = 32;

Error refuse(const std::string& text) { return Error(Code::invalid_request, text); }
std::string why() { return std::string(std::strerror(errno)); }

bool inside(const fs::path& file, const fs::path& directory) {
  std::error_code ignored;
  const fs::path f = fs::weakly_canonical(file, ignored), d = fs::weakly_canonical(directory, ignored);
  const auto [end, _] = std::mismatch(d.begin(), d.end(), f.begin(), f.end());
  return end == d.end();
}

bool has_data(const fs::path& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == ".db") return true;
  return false;
}

Result<std::string> read_key(int fd, const std::string& file) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return refuse("master key " + file + ": " + why());
  if (!S_ISREG(info.st_mode)) return refuse("master key " + file + " is not a file");
  if (info.st_mode & 077) return refuse("master key " + file + " may be read by others: chmod 600 it");
  char buffer[128];
  const ssize_t count = ::read(fd, buffer, sizeof buffer);
  if (count < 0) return refuse("master key " + file + ": " + why());
  std::string_view text(buffer, static_cast<std::size_t>(count));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::optional<std::string> key = base64url_decode(text);
  if (!key || key->size() != kKeyBytes) return refuse("master key " + file + " is not a key of ours");
  return *std::move(key);
}

}  // namespace

std::string default_master_key_file(const std::string& data_dir) {
  fs::path path = fs::path(data_dir).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return (path.parent_path() / "mandate.key").string();
}

Result<std::string> load_or_create_master_key(const std::string& file, const std::string& data_dir, Random& random) {
  if (inside(file, data_dir)) return refuse("master key " + file + " lies inside the data directory: a copy of the data would hold its key");
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) {
    Result<std::string> key = read_key(fd, file);
    ::close(fd);
    return key;
  }
  if (errno != ENOENT) return refuse("master key " + file + ": " + why());
  if (has_data(data_dir)) return refuse("master key " + file + " is missing, and " + data_dir + " holds data sealed with it");

  std::error_code ignored;
  if (const fs::path parent = fs::path(file).parent_path(); !parent.empty()) fs::create_directories(parent, ignored);
  const std::string key = random.bytes(kKeyBytes);
  const std::string text = base64url(key) + "\n";
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (out < 0) return refuse("master key " + file + " cannot be made: " + why());
  const bool written = ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(out) == 0;
  const std::string reason = why();
  ::close(out);
  if (!written) {
    ::unlink(file.c_str());
    return refuse("master key " + file + " cannot be written: " + reason);
  }
  return key;
}

Result<void> ensure_private_directory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return refuse("data directory " + path + ": " + why());
    std::error_code ignored;
    if (const fs::path parent = fs::path(path).lexically_normal().parent_path(); !parent.empty()) fs::create_directories(parent, ignored);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return refuse("data directory " + path + " cannot be made: " + why());
    if (::stat(path.c_str(), &info) != 0) return refuse("data directory " + path + ": " + why());
  }
  if (!S_ISDIR(info.st_mode)) return refuse("data directory " + path + " is not a directory");
  if (info.st_mode & 077) return refuse("data directory " + path + " may be entered by others: chmod 700 it");
  if (::access(path.c_str(), W_OK | X_OK) != 0) return refuse("data directory " + path + " is not writable: " + why());
  return {};
}

}  // namespace mandate::tenant
