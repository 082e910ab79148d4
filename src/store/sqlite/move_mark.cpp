#include "store/sqlite/move_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/json.h"

namespace mandate::store::sqlite {
namespace {

constexpr const char* kName = "/mandate.move";

Error cannot_write(const std::string& path) {
  return Error(Code::read_only, "Cannot write " + path + ": " + std::strerror(errno) + ".");
}

Result<void> sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = fd >= 0 && ::fsync(fd) == 0;
  Result<void> done;
  if (!good) done = cannot_write(directory);
  if (fd >= 0) ::close(fd);
  return done;
}

}  // namespace

Result<MoveMark> read_mark(const std::string& directory) {
  const std::string path = directory + kName;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return MoveMark{};
  std::string text(4096, '\0');
  const ssize_t size = fd < 0 ? -1 : ::read(fd, text.data(), text.size());
  if (fd >= 0) ::close(fd);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  const Result<Json> read = parse_json(text);
  if (size < 0 || !read.ok() || !read->is_object()) return Error(Code::corrupt, path + " cannot be read.");
  const JsonObject& object = read->get_object();
  const auto member = [&](std::string_view name) { return std::string(text_member(object, name).value_or("")); };
  return MoveMark{member("state"), member("id"), member("place")};
}

Result<void> write_mark(const std::string& directory, const MoveMark& mark) {
  const std::string path = directory + kName, fresh = path + ".new";
  const std::string text = to_json(JsonObject{{"state", mark.state}, {"id", mark.id}, {"place", mark.place}}) + "\n";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return cannot_write(fresh);
  const bool good = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  Result<void> done;
  if (!good) done = cannot_write(fresh);
  ::close(fd);
  CHECK_OK(std::move(done));
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return cannot_write(path);
  return sync_directory(directory);
}

void remove_mark(const std::string& directory) {
  ::unlink((directory + kName).c_str());
  (void)sync_directory(directory);
}

Result<void> check_mark(const std::string& directory) {
  TRY(const MoveMark mark, read_mark(directory));
  if (mark.state == "left")
    return Error(Code::conflict, "The data in " + directory + " has moved to " + mark.place + ": start mandated with --store " + mark.place +
                                     " (or take " + directory + kName + " away to go back to what was here, losing what was written since).");
  if (mark.state == "arriving" || mark.state == "complete")
    return Error(Code::conflict, "The move of " + mark.place + " to " + directory + " is not finished: run mandate move again.");
  return {};
}

}  // namespace mandate::store::sqlite
