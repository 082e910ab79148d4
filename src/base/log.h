// JSON lines on stderr, one event a line (KS-5). Secrets are masked by their type (KS-4).
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/secret.h"

namespace mandate {

enum class Level { debug, info, warn, error };

/// One named value of a log line. A Secret prints as "***".
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Field(std::string_view n, I v) : name(n), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view n, const Secret&) : name(n), value(std::string_view("***")) {}
};

/// Thread-safe. Text values are escaped and cut at 1 KiB.
class Log {
 public:
  /// `sink` receives one finished line without its line feed; the default writes to stderr without blocking the loops.
  explicit Log(const Clock& clock, Level least = Level::info, std::function<void(std::string_view)> sink = {});
  ~Log();
  void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});
  void debug(std::string_view e, std::initializer_list<Field> f = {}) { if (on(Level::debug)) write(Level::debug, e, f); }
  void info(std::string_view e, std::initializer_list<Field> f = {}) { write(Level::info, e, f); }
  void warn(std::string_view e, std::initializer_list<Field> f = {}) { write(Level::warn, e, f); }
  void error(std::string_view e, std::initializer_list<Field> f = {}) { write(Level::error, e, f); }
  bool on(Level level) const { return level >= least_; }

 private:
  struct Sink;
  const Clock& clock_;
  Level least_;
  std::unique_ptr<Sink> sink_;
};

/// A query string fit for the log: names kept, values of sensitive names (token, code, password, secret, state …) masked.
std::string loggable_query(std::string_view query);

}  // namespace mandate
