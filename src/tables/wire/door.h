// The door of the tables: every request on a table, in whichever dialect, takes the same steps.
#pragma once

#include <map>

#include "identity/shown_keys.h"
#include "tables/mount.h"
#include "tables/permissions.h"
#include "tables/wire/family.h"

namespace mandate::tables::wire {

/// Thread-safe; lives as long as the routes.
class Door {
 public:
  explicit Door(const Deps& deps);

  /// Any method on {table}[/{id}]; request.params holds what the route matched. `forced`: the route belongs to one dialect.
  Task<http::Response> tables(http::Request& request, std::optional<Dialect> forced);
  /// The answer to a request of `tables` that took longer than a request may.
  http::Response late(const http::Request& request, std::optional<Dialect> forced) const;
  /// OPTIONS where the service has nothing else to say: 204, with the CORS fields of the service.
  Task<http::Response> preflight_only(http::Request& request);

 private:
  Task<http::Response> carry_out(Turn& turn, std::optional<Dialect> forced);
  Task<http::Response> authorised(Turn& turn);
  /// Empty when the caller may; else the refusal.
  std::optional<http::Response> refusal(const Turn& turn, const identity::KeysShown& keys, const identity::Principal& principal);
  Task<Answer> perform(Turn& turn, Act act);
  void count(const Turn& turn);
  void note(const Turn& turn, const Error& error) const;

  Deps deps_;
  identity::ShownKeys keys_;
  std::array<Counter*, 4> dialects_{};
  std::map<std::string_view, Counter*> features_;
  Counter& refused_;
};

/// Where a route of one dialect stands: "/v4/tables/" for the dialect V4, "/tables/" for all together.
std::string root_of(std::optional<Dialect> forced);

}  // namespace mandate::tables::wire
