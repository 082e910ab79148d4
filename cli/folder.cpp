#include "folder.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "base/folder_path.h"
#include "base/json.h"
#include "base/url.h"
#include "tenant_file.h"

namespace mandate::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead = "mandate-folder/1\n";
using folder::kMostBytes, folder::kMostFileBytes, folder::kMostFiles;

Error wrong(const std::string& text) { return Error(Code::invalid_request, text); }

class Reader {
 public:
  Result<Folder> read(const fs::path& root) {
    std::error_code error;
    if (!fs::is_directory(root, error)) return wrong(root.string() + " is no folder");
    CHECK_OK(below(root, ""));
    return std::move(folder_);
  }

 private:
  Result<void> below(const fs::path& directory, const std::string& prefix) {
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    if (error) return wrong(directory.string() + " cannot be read");
    for (const fs::directory_entry& entry : entries) {
      const std::string name = entry.path().filename().string(), path = prefix + name;
      if (name.starts_with('.')) continue;
      if (entry.is_symlink(error)) {
        folder_.notices.push_back(path + " is a symbolic link and was passed over");
      } else if (entry.is_directory(error)) {
        CHECK_OK(below(entry.path(), path + "/"));
      } else if (entry.is_regular_file(error)) {
        CHECK_OK(file(entry.path(), path));
      }
    }
    return {};
  }

  Result<void> file(const fs::path& from, const std::string& path) {
    if (const std::string problem = folder::path_problem(path); !problem.empty()) return wrong((valid_utf8(path) ? path : "a file of " + from.parent_path().string()) + " " + problem);
    if (path.ends_with("/binding.gyp")) folder_.notices.push_back(path.substr(0, path.size() - 12) + " has native parts, which are not built here");
    TRY(std::string content, read_file(from.string(), kMostFileBytes));
    bytes_ += content.size();
    if (bytes_ > kMostBytes) return wrong("the folder is larger than 32 MiB");
    if (folder_.files.size() >= kMostFiles) return wrong("the folder has more than 10000 files");
    folder_.files.emplace(path, std::move(content));
    return {};
  }

  Folder folder_;
  std::size_t bytes_ = 0;
};

bool write_whole(const fs::path& to, std::string_view content) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  return static_cast<bool>(out);
}

/// Removed at the end, whatever happens.
struct PrivateCopy {
  PrivateCopy() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "mandate-npm-XXXXXX").string();
    if (::mkdtemp(name.data())) path = name;
  }
  ~PrivateCopy() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
  PrivateCopy(const PrivateCopy&) = delete;
  fs::path path;
};

/// Its exit status; 127 when there is no npm.
int run_npm(const fs::path& where, const char* act) {
  std::cerr.flush();
  const pid_t child = ::fork();
  if (child == 0) {
    if (::chdir(where.c_str()) != 0) ::_exit(126);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execlp("npm", "npm", act, "--omit=dev", "--ignore-scripts", "--install-links", "--no-audit", "--no-fund", "--loglevel=error", nullptr);
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) < 0) return 126;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

/// What the server itself gives an app for Mobile Apps' Node server: such an app needs no npm for it.
bool is_given(std::string_view package) { return package == "azure-mobile-apps" || package == "express" || package == "body-parser"; }

bool has_dependencies(const Folder& folder) {
  const auto package = folder.files.find("package.json");
  if (package == folder.files.end()) return false;
  const Result<Json> json = parse_json(package->second);
  const Json* group = json.ok() && json->is_object() ? json->get_object().if_contains("dependencies") : nullptr;
  if (!group || !group->is_object()) return false;
  const auto needed = [](const auto& each) { return !is_given({each.key().data(), each.key().size()}); };
  const JsonObject& all = group->get_object();
  const bool app = all.contains("azure-mobile-apps");
  return app ? std::ranges::any_of(all, needed) : !all.empty();
}

bool has_modules(const Folder& folder) {
  const auto first = folder.files.lower_bound("node_modules/");
  return first != folder.files.end() && first->first.starts_with("node_modules/");
}

}  // namespace

fs::path service_folder(const fs::path& directory) {
  std::error_code error;
  return fs::is_directory(directory / "service", error) ? directory / "service" : directory;
}

Result<Folder> read_folder(const fs::path& root) { return Reader().read(root); }

Result<void> install_modules(Folder& folder) {
  if (!has_dependencies(folder) || has_modules(folder)) return {};
  const PrivateCopy copy;
  if (copy.path.empty()) return wrong("no temporary folder can be made for npm");
  for (const auto& [path, content] : folder.files)
    if (!write_whole(copy.path / path, content)) return wrong((copy.path / path).string() + " cannot be written");
  const bool locked = folder.files.contains("package-lock.json") || folder.files.contains("npm-shrinkwrap.json");
  if (!locked) folder.notices.push_back("package.json has no package-lock.json beside it: what npm installs today may differ tomorrow");
  const int status = run_npm(copy.path, locked ? "ci" : "install");
  if (status == 127) return wrong("package.json has dependencies: install npm, or run it yourself so that node_modules is there");
  if (status != 0) return wrong("npm could not install the dependencies of package.json (status " + std::to_string(status) + ")");
  std::error_code error;
  if (!fs::is_directory(copy.path / "node_modules", error)) return {};
  TRY(Folder installed, read_folder(copy.path));
  for (auto& [path, content] : installed.files)
    if (path.starts_with("node_modules/")) folder.files.emplace(path, std::move(content));
  for (std::string& notice : installed.notices)
    if (notice.starts_with("node_modules/")) folder.notices.push_back(std::move(notice));
  return {};
}

std::string folder_text(const Folder& folder) {
  std::string out(kHead);
  for (const auto& [path, content] : folder.files) out.append(std::to_string(content.size())).append(" ").append(path).append("\n").append(content);
  return out;
}

Result<Folder> parse_folder_text(std::string_view text) {
  const Error damaged(Code::upstream_error, "what the server sent is no folder");
  if (!text.starts_with(kHead)) return damaged;
  text.remove_prefix(kHead.size());
  Folder out;
  while (!text.empty()) {
    std::size_t size = 0;
    const std::size_t line = text.find('\n');
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || line == std::string_view::npos || end >= text.data() + line || *end != ' ') return damaged;
    const std::string path(end + 1, text.data() + line);
    text.remove_prefix(line + 1);
    if (size > text.size()) return damaged;
    // The server takes no other paths now, but may have once, and these become files here.
    if (const std::string problem = folder::path_problem(path); !problem.empty()) out.notices.push_back("a file was passed over: " + (valid_utf8(path) ? path : std::string("its name")) + " " + problem);
    else out.files.emplace(path, std::string(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return out;
}

Result<std::size_t> write_folder(const Folder& folder, const fs::path& root, bool force) {
  std::error_code error;
  Folder there;
  if (fs::exists(root, error)) {
    TRY(there, read_folder(root));
  }
  std::string dirty;
  std::size_t count = 0;
  for (const auto& [path, content] : there.files) {
    const auto wanted = folder.files.find(path);
    if (wanted != folder.files.end() && wanted->second == content) continue;
    if (++count <= 5) dirty += "\n  " + path + (wanted == folder.files.end() ? " is not in the service" : " differs");
  }
  if (count && !force)
    return wrong(root.string() + " has changes that are not deployed (--force writes over them):" + dirty + (count > 5 ? "\n  and " + std::to_string(count - 5) + " more" : ""));
  std::size_t written = 0;
  for (const auto& [path, content] : folder.files) {
    if (const auto same = there.files.find(path); same != there.files.end() && same->second == content) continue;
    // A link could lead out of the folder.
    for (fs::path at = root / path; at != root; at = at.parent_path())
      if (fs::is_symlink(at, error)) return wrong(at.string() + " is a symbolic link");
    if (!write_whole(root / path, content)) return wrong((root / path).string() + " cannot be written");
    ++written;
  }
  return written;
}

}  // namespace mandate::cli
