// The dialects V1 (Mobile Services) and V2 (Mobile Apps).
#pragma once

#include "tables/wire/family.h"

namespace mandate::tables::wire {

class Zumo final : public Family {
 public:
  std::optional<Operation> operation_of(const Turn& turn, bool item) const override;
  std::optional<Operation> also_needs(const Turn&) const override { return std::nullopt; }
  Result<void> read_body(Turn& turn, std::size_t limit) const override;
  Result<Act> act_of(Turn& turn) const override;

  http::Response answer_of(const Turn& turn, const Act& asked, Answer answer) const override;
  http::Response error_of(Dialect dialect, const Error& error, const http::Request& request) const override;
  /// V2 answers a missing login in plain text.
  http::Response unauthorized(const Turn& turn, const Error& error, bool bad_token) const override;
  /// V2 gives the item as it was sent.
  http::Response taken(Turn& turn, const Error& error) const override;
  http::Response not_allowed(Dialect dialect, bool item) const override;
  /// V2 says it in plain text.
  http::Response switched_off(const Turn& turn, const Error& error) const override;
  void add_headers(http::Response& response, Dialect dialect) const override;
};

}  // namespace mandate::tables::wire
