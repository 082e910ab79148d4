// The dialects V3 (Datasync 5/6) and V4 (Community Datasync 8 and later).
#pragma once

#include "tables/wire/family.h"

namespace mandate::tables::wire {

/// 400 and its like are problem JSON (RFC 9457), 409 and 412 the entity, other refusals have no body (mobile-backend-wire 2.6).
class Datasync final : public Family {
 public:
  std::optional<Operation> operation_of(const Turn& turn, bool item) const override;
  /// What brings a deleted row back asks for undelete too.
  std::optional<Operation> also_needs(const Turn& turn) const override;
  Result<void> read_body(Turn& turn, std::size_t limit) const override;
  Result<Act> act_of(Turn& turn) const override;

  http::Response answer_of(const Turn& turn, const Act& asked, Answer answer) const override;
  http::Response error_of(Dialect dialect, const Error& error, const http::Request& request) const override;
  /// The status of a missing login is the service's setting MS_UnauthorizedStatus: 401 (usual), 403 or 404.
  http::Response unauthorized(const Turn& turn, const Error& error, bool bad_token) const override;
  http::Response taken(Turn& turn, const Error& error) const override;
  http::Response not_allowed(Dialect dialect, bool item) const override;
  void add_headers(http::Response& response, Dialect dialect) const override;
};

}  // namespace mandate::tables::wire
