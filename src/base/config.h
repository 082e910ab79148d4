// The options of the server: one table, read from a TOML file, the environment and the command line, later ones winning.
// `mandate config --explain` prints the same table.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mandate {

/// One line of the table. `least` and `most` bound numbers in the option's base unit: bytes, milliseconds, or plain.
struct Option {
  enum class Type { text, integer, boolean, duration, size, list };
  std::string_view name;   ///< as in the file; the flag has dashes (--data-dir), the environment MANDATE_DATA_DIR
  Type type = Type::text;
  std::string_view usual;  ///< default, as one would write it
  std::int64_t least = 0, most = 0;
  std::string_view words;  ///< for text: the values allowed, separated by '|'; empty = any
  std::string_view what;
};

std::span<const Option> config_options();

/// Immutable after load. Asking for a name that is not in the table, or by another type, is a bug and throws.
class Config {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;

  /// `arguments`: what came after the program's name. --config FILE (or MANDATE_CONFIG) names the file; a missing named
  /// file is an error, mandate.toml in the working directory is read when it is there.
  /// invalid_request, the hint naming option and place: unknown option, unreadable value, value out of range.
  static Result<Config> load(std::span<const std::string> arguments, const Environment& environment);
  /// The process's own environment.
  static Environment process_environment();

  std::string text(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::chrono::milliseconds duration(std::string_view name) const;
  std::size_t bytes(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  /// "default", "file", "environment" or "flag".
  std::string_view source(std::string_view name) const;

  /// The table for people: name, value, where it comes from, range, meaning.
  std::string explain() const;

 private:
  struct Value {
    std::string text;
    std::int64_t number = 0;
    std::string_view source = "default";
  };
  Config() = default;
  static Result<Value> read(const Option& option, std::string text, std::string_view source, std::string_view place);
  Result<void> set(std::string_view name, std::string text, std::string_view source, std::string_view place);
  Result<void> read_file(const std::string& path, bool must_exist);
  const Value& value(std::string_view name, Option::Type type) const;

  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace mandate
