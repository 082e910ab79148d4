// Moving the data elsewhere: begun here, asked after until it is done.
#include <charconv>

#include "management/desk.h"
#include "management/moves.h"

namespace mandate::management {

Task<http::Response> post_move(Deps& deps, http::Request& request) {
  if (!deps.moves) co_return Error(Code::not_found, "This server moves nothing.");
  CO_TRY(const http::Params params, http::Params::of(request));
  const std::string from(params.get("from")), to(params.get("to")), schema(params.get("schema"));
  if (from.empty() || to.empty()) co_return Error(Code::invalid_request, "from and to are needed");
  CO_CHECK(deps.moves->start(from, to, schema));
  co_return http::Response::json(202, deps.moves->progress(0));
}

Task<http::Response> get_move(Deps& deps, http::Request& request) {
  if (!deps.moves) co_return Error(Code::not_found, "This server moves nothing.");
  const http::Params query = http::Params::of_query(request.query);
  const std::string_view text = query.get("after");
  std::size_t after = 0;
  std::from_chars(text.data(), text.data() + text.size(), after);
  co_return http::Response::json(200, deps.moves->progress(after));
}

}  // namespace mandate::management
