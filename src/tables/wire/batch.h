// Several requests on tables in one: OData's JSON batch format (OData JSON Format 4.01, section 19).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tables/wire/door.h"

namespace mandate::tables::wire {

inline constexpr std::size_t kMostInBatch = 100;             ///< requests (security 0.2)
inline constexpr std::size_t kBatchBytes = 4 << 20;          ///< of the whole body
inline constexpr std::size_t kBatchAnswerBytes = 16 << 20;   ///< of all answers; later requests are not made

/// One request of a batch, as its sender wrote it.
struct BatchedRequest {
  std::string id;
  http::Method method = http::Method::get;
  std::string path, query;            ///< "/tables/T/id", decoded; the query as it came
  std::vector<std::string> segments;  ///< table and, if there is one, item
  std::string of;                     ///< "$1": the item that request 1 made, read or changed; then path and segments are known after it
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::vector<std::string> after;     ///< ids of those that must have succeeded before (dependsOn)
};

/// `root` is what stands before a table in the batch's own address, with the service's prefix: "/tables/", "/s/a/v4/tables/".
/// Addresses inside are relative to it, or paths below it, or whole ones of `origin`. bad_request for what is no batch, has more
/// than kMostInBatch requests, names one twice, depends on a later one, refers to one that it does not depend on, has conditions of
/// its own (`if`), or is an atomicityGroup: each request stands for itself.
Result<std::vector<BatchedRequest>> read_batch(std::string_view body, std::string_view root, std::string_view origin);

/// POST /tables/$batch. Each request inside goes through the tables' own door, for the caller of the batch: with its own method,
/// permission, preconditions and answer (DA-10).
///
/// Without a preference they are made one after the other up to the first that fails, as OData has it. With
/// `Prefer: continue-on-error` all are made, those that need not wait for each other at once, so that their writes share a
/// commit; the answers come in the batch's order. Thread-safe; lives as long as its route.
class BatchDoor {
 public:
  BatchDoor(const Deps& deps, std::shared_ptr<Door> tables);

  Task<http::Response> handle(http::Request& request, std::optional<Dialect> forced);

 private:
  struct Work;
  Task<http::Response> carry_out(http::Request& request, std::optional<Dialect> forced);
  Task<void> make(std::shared_ptr<Work> work, std::size_t at);
  Task<void> make_all(std::shared_ptr<Work> work, std::vector<std::size_t> together);

  Deps deps_;
  std::shared_ptr<Door> tables_;
  Counter &batches_, &requests_;
};

}  // namespace mandate::tables::wire
