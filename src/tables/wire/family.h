// What a family of dialects says about a request and its answer. V1 and V2 are one family (zumo), V3 and V4 the other (datasync).
#pragma once

#include <optional>
#include <string>

#include "http/request.h"
#include "http/response.h"
#include "tables/operations.h"
#include "tables/wire/detect.h"

namespace mandate::tables::wire {

/// One request on its way through the checks.
struct Turn {
  explicit Turn(http::Request& r) : request(r) {}

  http::Request& request;
  tenant::Here here;
  const tenant::Service* service = nullptr;
  const tenant::Table* table = nullptr;
  std::string root = "/tables/";        ///< what stands before the table's name in links
  Dialect dialect = Dialect::v2;
  QueryParameters parameters;
  http::Method method = http::Method::get;  ///< the verb that is meant
  Operation operation = Operation::read;
  std::string id;
  JsonObject item;                      ///< the body of an insert or update
  std::optional<JsonArray> patch;       ///< the body of a JSON patch (RFC 6902)
  bool no_script = false;
  std::string after;                    ///< the $skiptoken that the request brought
  std::string next;                     ///< the one its answer gives; empty: the next page is told by $skip
  bool version_in_body = false;         ///< V2: the expected version came in the body; a stale one is 409, not 412

  /// Address of the table, or of an item in it.
  std::string url(std::string_view item_id = {}) const;
};

/// Stateless; one object each.
class Family {
 public:
  virtual ~Family() = default;

  /// The operation of a verb; nullopt where the dialect has none.
  virtual std::optional<Operation> operation_of(const Turn& turn, bool item) const = 0;
  /// A second operation whose permission the request needs, because of what it says.
  virtual std::optional<Operation> also_needs(const Turn& turn) const = 0;
  /// Fills item or patch. bad_request, unsupported_media_type.
  virtual Result<void> read_body(Turn& turn, std::size_t limit) const = 0;
  /// Query options, headers and body become an act; its principal is the caller's business.
  virtual Result<Act> act_of(Turn& turn) const = 0;

  /// `asked`: the act as it was, without item and trees.
  virtual http::Response answer_of(const Turn& turn, const Act& asked, Answer answer) const = 0;
  /// The error in the dialect's shape. 500 tells nothing but the request's id.
  virtual http::Response error_of(Dialect dialect, const Error& error, const http::Request& request) const = 0;
  /// A refused or missing login.
  virtual http::Response unauthorized(const Turn& turn, const Error& error, bool bad_token) const = 0;
  /// An insert whose id is taken by a row that is not shown.
  virtual http::Response taken(Turn& turn, const Error& error) const = 0;
  /// 405 without a body, and what would be allowed.
  virtual http::Response not_allowed(Dialect dialect, bool item) const = 0;
  /// 405 of an operation that the table has switched off.
  virtual http::Response switched_off(const Turn& turn, const Error& error) const { return error_of(turn.dialect, error, turn.request); }
  /// Cache and server headers of every answer.
  virtual void add_headers(http::Response& response, Dialect dialect) const = 0;
};

const Family& zumo();
const Family& datasync();
const Family& family_of(Dialect dialect);

/// Whether a body of this type is read as JSON: application/json and its kin, in UTF-8 (IN-6).
bool is_json(std::string_view content_type);
/// "application/json" of "Application/JSON; charset=utf-8".
std::string media_of(std::string_view content_type);
/// unsupported_media_type when the request says twice, or otherwise than JSON, what its body is. A body without a type is
/// taken for JSON, as the original did; every SDK that sends one sends application/json (0.4 #12).
Result<void> check_json_type(const http::Request& request);
/// The body as one JSON value of at most `limit` bytes.
Result<Json> json_body(const http::Request& request, std::size_t limit);

}  // namespace mandate::tables::wire
