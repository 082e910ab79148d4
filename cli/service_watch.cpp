// `mandate service watch`: the folder of a developer, deployed at each change.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <set>

#include "base/url.h"
#include "folder.h"
#include "service.h"

namespace mandate::cli {

namespace {

namespace fs = std::filesystem;

constexpr int kSettle = 150;  ///< ms without another change: editors write a file in several steps

/// Tells of changes below a folder. New folders are found by looking again after each change.
class Watcher {
 public:
  explicit Watcher(fs::path root) : root_(std::move(root)), fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}
  ~Watcher() {
    if (fd_ >= 0) ::close(fd_);
  }
  Watcher(const Watcher&) = delete;

  bool look() {
    std::error_code error;
    if (fd_ < 0 || !fs::is_directory(root_, error)) return false;
    add(root_);
    for (fs::recursive_directory_iterator at(root_, fs::directory_options::skip_permission_denied, error), end; !error && at != end; at.increment(error)) {
      const std::string name = at->path().filename().string();
      if (!at->is_directory(error) || at->is_symlink(error)) continue;
      // What npm does there ends with a change of the lock file.
      if (name.starts_with('.') || name == "node_modules") at.disable_recursion_pending();
      else add(at->path());
    }
    return true;
  }

  /// Until something has changed and nothing has for a moment. False when it cannot be told.
  bool wait() {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, -1) < 0) return errno == EINTR;
    do drain();
    while (::poll(&ready, 1, kSettle) > 0);
    return true;
  }

 private:
  void add(const fs::path& directory) {
    ::inotify_add_watch(fd_, directory.c_str(), IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
  }
  void drain() {
    char buffer[16384];
    while (::read(fd_, buffer, sizeof buffer) > 0) {
    }
  }

  fs::path root_;
  int fd_;
};

void deploy(const OwnerSocket& server, const ServiceArguments& a) {
  const Result<Json> answer = deploy_service(server, a);
  if (answer.ok() && answer->is_object()) {
    std::cout << show_deployed(answer->get_object());
  } else if (!answer.ok()) {
    for (const std::string& line : split(answer.error().hint, '\n')) std::cerr << "mandate: " << line << "\n";
  }
  std::cout.flush();
}

}  // namespace

int watch_service(const OwnerSocket& server, const ServiceArguments& a) {
  Watcher watcher(service_folder(a.directory));
  // Watched before it is read: a change while it is deployed is deployed next.
  while (watcher.look()) {
    deploy(server, a);
    if (!watcher.wait()) break;
  }
  std::cerr << "mandate: " << a.directory << " cannot be watched\n";
  return 1;
}

}  // namespace mandate::cli
