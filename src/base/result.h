// Errors are values: a Result<T> is a T or an Error.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mandate {

/// The one list of refusals and failures; see error_codes.def.
enum class Code {
#define X(code, status) code,
#include "base/error_codes.def"
#undef X
};

/// The code's wire spelling, e.g. "invalid_grant".
std::string_view name(Code code);

/// The HTTP status a modern door answers with. Dialects may differ.
int http_status(Code code);

/// A refusal or failure. Born once where it happens, translated once in the dialect that answers.
struct Error {
  Code code = Code::server_error;
  /// For the caller; safe to show. Never carries SQL, paths, keys or another person's data.
  std::string hint;
  /// For the log only.
  std::string detail;

  Error(Code c, std::string h = {}, std::string d = {}) : code(c), hint(std::move(h)), detail(std::move(d)) {}
};

/// A T or an Error. Result<void> is success or an Error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <class U>
    requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { assert(ok()); return *std::get_if<0>(&state_); }
  const T& value() const& { assert(ok()); return *std::get_if<0>(&state_); }
  T&& value() && { assert(ok()); return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { assert(!ok()); return *std::get_if<1>(&state_); }
  const Error& error() const& { assert(!ok()); return *std::get_if<1>(&state_); }
  Error&& error() && { assert(!ok()); return std::move(*std::get_if<1>(&state_)); }

  T value_or(T other) && { return ok() ? std::move(*this).value() : std::move(other); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace mandate

#define MANDATE_CONCAT_(a, b) a##b
#define MANDATE_CONCAT(a, b) MANDATE_CONCAT_(a, b)

// TRY(auto x, f()): declare x from the value of a Result, or return its error. In coroutines: CO_TRY.
#define MANDATE_TRY_(ret, tmp, decl, ...) \
  auto tmp = (__VA_ARGS__);               \
  if (!tmp.ok()) ret std::move(tmp).error(); \
  decl = std::move(tmp).value()
#define TRY(decl, ...) MANDATE_TRY_(return, MANDATE_CONCAT(try_, __COUNTER__), decl, __VA_ARGS__)
#define CO_TRY(decl, ...) MANDATE_TRY_(co_return, MANDATE_CONCAT(try_, __COUNTER__), decl, __VA_ARGS__)

// CHECK_OK(f()): go on when the Result<void> (or any Result) is a success, else return its error.
#define MANDATE_CHECK_(ret, tmp, ...) \
  if (auto tmp = (__VA_ARGS__); !tmp.ok()) ret std::move(tmp).error()
#define CHECK_OK(...) MANDATE_CHECK_(return, MANDATE_CONCAT(check_, __COUNTER__), __VA_ARGS__)
#define CO_CHECK(...) MANDATE_CHECK_(co_return, MANDATE_CONCAT(check_, __COUNTER__), __VA_ARGS__)
