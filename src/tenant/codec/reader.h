// Reads one configuration object strictly: wrong types, unknown members and values out of range each become a Problem
// that names its place, so that a file's author sees all of them at once.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace mandate::tenant {

/// One thing wrong: `path` as in "clients.todo.callbacks[2]".
struct Problem {
  std::string path, text;
};

class Problems {
 public:
  void add(std::string path, std::string text);
  bool empty() const { return list_.empty(); }
  const std::vector<Problem>& list() const { return list_; }
  /// invalid_request; the hint has one line per problem (at most 50).
  Error error() const;

 private:
  std::vector<Problem> list_;
};

/// Members left out keep what `out` holds; null counts as left out.
class ObjectReader {
 public:
  ObjectReader(const JsonObject& object, std::string path, Problems& problems)
      : object_(object), path_(std::move(path)), problems_(problems) {}

  bool has(std::string_view name) const;
  void text(std::string_view name, std::string& out, std::size_t most = 1024);
  void one_of(std::string_view name, std::string& out, std::initializer_list<std::string_view> words);
  void flag(std::string_view name, bool& out);
  void integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most);
  /// A list of texts; one text alone is a list of one.
  void texts(std::string_view name, std::vector<std::string>& out, std::size_t most = 1000);
  const JsonObject* object(std::string_view name);
  const JsonArray* array(std::string_view name);
  /// The member whatever it is; null when left out.
  const Json* any(std::string_view name);

  /// Every member not asked for is a problem; those in `keep` go to `extra` unread.
  void finish(std::span<const std::string_view> keep = {}, JsonObject* extra = nullptr);

  std::string at(std::string_view name) const;
  const std::string& path() const { return path_; }
  void problem(std::string_view name, std::string text) { problems_.add(at(name), std::move(text)); }
  Problems& problems() { return problems_; }

 private:
  const JsonObject& object_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string_view> seen_;
};

/// Writing: a member only where it differs from what a reader would assume.
void put(JsonObject& out, std::string_view name, const std::string& value, std::string_view usual = {});
void put(JsonObject& out, std::string_view name, bool value, bool usual);
void put(JsonObject& out, std::string_view name, std::int64_t value, std::int64_t usual);
void put(JsonObject& out, std::string_view name, const std::vector<std::string>& value);

}  // namespace mandate::tenant
