#include "tenant_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/yaml.h"

namespace mandate::cli {

namespace {

namespace fs = std::filesystem;

class Filler {
 public:
  explicit Filler(fs::path directory) : directory_(std::move(directory)) {}

  Result<void> fill(Json& value, const std::string& path) {
    if (value.is_object()) {
      for (auto& [key, member] : value.get_object()) {
        const std::string name(key.data(), key.size());
        const std::string at = path.empty() ? name : path + "." + name;
        // Scripts have ${…} of their own.
        const bool group = member.is_object();
        Result<void> filled = group && name == "scripts" ? fill_scripts(member.get_object(), at)
                              : group && name == "jobs"  ? fill_jobs(member.get_object(), at)
                                                         : fill(member, at);
        CHECK_OK(std::move(filled));
      }
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.get_array().size(); ++i) CHECK_OK(fill(value.get_array()[i], path + "[" + std::to_string(i) + "]"));
    } else if (value.is_string()) {
      TRY(const std::string text, expand(view(value.get_string()), path));
      value = boost::json::string(text);
    }
    return {};
  }

 private:
  Result<void> fill_scripts(JsonObject& scripts, const std::string& path) {
    for (auto& [key, member] : scripts) CHECK_OK(fill_source(member, path + "." + std::string(key.data(), key.size())));
    return {};
  }

  Result<void> fill_jobs(JsonObject& jobs, const std::string& path) {
    for (auto& [key, job] : jobs) {
      if (!job.is_object()) continue;
      for (auto& [name, member] : job.get_object()) {
        const std::string at = path + "." + std::string(key.data(), key.size()) + "." + std::string(name.data(), name.size());
        CHECK_OK(view(name) == "source" ? fill_source(member, at) : fill(member, at));
      }
    }
    return {};
  }

  /// A file's name in the place of a script becomes the file's text.
  Result<void> fill_source(Json& member, const std::string& path) {
    if (!member.is_string()) return {};
    const std::string text(view(member.get_string()));
    if (text.find('\n') != std::string::npos || !text.ends_with(".js")) return {};
    Result<std::string> source = read_file((directory_ / text).string(), 256 * 1024);
    if (!source.ok()) return Error(Code::invalid_request, path + ": " + source.error().hint);
    member = boost::json::string(*source);
    return {};
  }

  static Result<std::string> expand(std::string_view text, const std::string& path) {
    std::string out;
    while (true) {
      const std::size_t start = text.find("${");
      out += text.substr(0, start);
      if (start == std::string_view::npos) return out;
      const std::size_t end = text.find('}', start);
      if (end == std::string_view::npos) return Error(Code::invalid_request, path + ": '${' without '}'");
      std::string name(text.substr(start + 2, end - start - 2));
      std::optional<std::string> otherwise;
      if (const std::size_t mark = name.find(":-"); mark != std::string::npos) otherwise = name.substr(mark + 2), name.resize(mark);
      const char* value = std::getenv(name.c_str());
      if (value && *value)
        out += value;
      else if (otherwise)
        out += *otherwise;
      else
        return Error(Code::invalid_request, path + ": the environment has no " + name);
      text.remove_prefix(end + 1);
    }
  }

  fs::path directory_;
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) return Error(Code::invalid_request, path + " cannot be read");
  std::string text;
  char buffer[16384];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > most) return Error(Code::invalid_request, path + " is larger than " + std::to_string(most) + " bytes");
  }
  return text;
}

Result<Json> read_tenant_file(const std::string& path) {
  TRY(const std::string text, read_file(path));
  JsonLimits limits;
  limits.bytes = 4 << 20;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && text[first] == '{';
  Result<Json> parsed = json ? parse_json(text, limits) : parse_yaml(text, limits);
  if (!parsed.ok()) return Error(Code::invalid_request, path + ": " + parsed.error().hint);
  Json file = std::move(parsed).value();
  if (Result<void> filled = Filler(fs::path(path).parent_path()).fill(file, ""); !filled.ok())
    return Error(Code::invalid_request, path + ": " + filled.error().hint);
  return file;
}

}  // namespace mandate::cli
