// What both dialects of registering share: who may, and the bytes of a refusal.
#pragma once

#include "identity/shown_keys.h"
#include "push/mount.h"

namespace mandate::push::wire {

enum class Dialect { v1, v2 };

/// One request on its way through a door.
struct Turn {
  tenant::Here here;
  const tenant::Service* service = nullptr;
  identity::Principal who;  ///< level admin for who shows the master key
  Dialect dialect = Dialect::v1;
};

/// Answers a request that may come in.
using Act = Task<http::Response> (*)(const Deps& deps, Turn& turn, http::Request& request);

/// Finds the service, answers preflights, checks token and permission (4.7), limits how often one address registers, and
/// writes errors in the dialect.
class Door {
 public:
  explicit Door(const Deps& deps);
  /// A handler for `act`; the Door must outlive it.
  http::Handler handler(Dialect dialect, Act act);

 private:
  Task<http::Response> enter(Dialect dialect, Act act, http::Request& request);
  Task<http::Response> pass(Turn& turn, Act act, http::Request& request);

  Deps deps_;
  identity::ShownKeys keys_;
  Counter& requests_;
  Counter& refused_;
};

/// V1: {"code","error":"Error: …"}; V2: {"error"}.
http::Response error_body(Dialect dialect, int status, std::string_view text);

/// The body as one JSON object; bad_request.
Result<JsonObject> body_of(const http::Request& request);
/// A member that must be text, or absent: then empty. bad_request.
Result<std::string> text_of(const JsonObject& object, std::string_view name, std::size_t most);
/// A list of texts, or absent. bad_request.
Result<std::vector<std::string>> texts_of(const JsonObject& object, std::string_view name);
/// An object of texts, or absent, as headers are. bad_request.
Result<JsonObject> headers_of(const JsonObject& object, std::string_view name);

Task<http::Response> post_registration_id(const Deps& deps, Turn& turn, http::Request& request);
Task<http::Response> put_registration(const Deps& deps, Turn& turn, http::Request& request);
Task<http::Response> list_registrations(const Deps& deps, Turn& turn, http::Request& request);
Task<http::Response> delete_registration(const Deps& deps, Turn& turn, http::Request& request);
Task<http::Response> put_installation(const Deps& deps, Turn& turn, http::Request& request);
Task<http::Response> delete_installation(const Deps& deps, Turn& turn, http::Request& request);
Task<http::Response> get_webpush_key(const Deps& deps, Turn& turn, http::Request& request);

}  // namespace mandate::push::wire
