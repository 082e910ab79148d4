// Header fields of a message, in order, names compared without case.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mandate::http {

/// Fields of a received message: views into the connection's buffer, valid until the response is written.
class HeaderViews {
 public:
  struct Field {
    std::string_view name, value;
  };
  void add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
  void clear() { fields_.clear(); }
  /// The first field of that name; empty when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::size_t count(std::string_view name) const;
  const std::vector<Field>& all() const { return fields_; }
  /// The bytes viewed have moved: from `from` … `from + size` to `to`.
  void rebase(const char* from, std::size_t size, const char* to);

 private:
  const Field* find(std::string_view name) const;
  std::vector<Field> fields_;
};

/// Fields of an answer. The setters refuse CR, LF, NUL and non-token names by throwing: a bug of ours, answered 500 (HT-9).
class Headers {
 public:
  struct Field {
    std::string name, value;
  };
  Headers& set(std::string_view name, std::string_view value);
  Headers& add(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  const std::vector<Field>& all() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

}  // namespace mandate::http
