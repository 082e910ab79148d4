// Which handler answers which request.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/task.h"
#include "http/request.h"
#include "http/response.h"

namespace mandate::http {

/// Answers a request. An Error is answered 4xx/5xx as generic JSON; rooms answer errors themselves in their dialect.
/// Runs on the peer's loop; must not block.
using Handler = std::function<Task<Response>(Request&)>;

struct RouteOptions {
  std::size_t target_limit = 8 << 10;  ///< bytes of the request target; above it 414. HeadLimits::request_line bounds it too
  std::size_t body_limit = 1 << 20;  ///< bytes; above it 413
  /// Answers OPTIONS with the handler instead of the router's plain 204 + Allow; CORS preflights need it.
  bool handles_options = false;
  /// A body over the limit, or badly framed, comes to the handler as Request::refused with an empty body, so that the
  /// answer has the dialect and headers of the door. Params::of refuses such a request by itself.
  bool answers_refusals = false;
  /// The answer to a request whose handler overran the request's deadline; empty: 503 in generic JSON. Called while the
  /// handler still has the request.
  std::function<Response(const Request&)> late = {};
  std::string_view metric = {};  ///< label of the request metrics; the pattern when empty
};

/// What a room mounts its endpoints on. Patterns are literal segments and {name} for one segment, or {name...} for the
/// rest of the path: "/tables/{table}/{id}". Literal beats placeholder. A trailing slash and a doubled leading slash
/// match too (identity-wire 0.3 #9). HEAD is answered by GET. Known path, unknown method: 405 with Allow (HT-13).
class Routes {
 public:
  virtual ~Routes() = default;
  virtual void add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {}) = 0;

  void get(std::string_view p, Handler h, RouteOptions o = {}) { add(Method::get, p, std::move(h), o); }
  void post(std::string_view p, Handler h, RouteOptions o = {}) { add(Method::post, p, std::move(h), o); }
  void put(std::string_view p, Handler h, RouteOptions o = {}) { add(Method::put, p, std::move(h), o); }
  void patch(std::string_view p, Handler h, RouteOptions o = {}) { add(Method::patch, p, std::move(h), o); }
  void del(std::string_view p, Handler h, RouteOptions o = {}) { add(Method::delete_, p, std::move(h), o); }
};

/// The table itself: immutable after mounting, shared by all loops. Also runs without a socket, for tests.
class Router final : public Routes {
 public:
  /// `log` receives the detail of every 5xx; null keeps it silent. It must outlive the router.
  explicit Router(Log* log = nullptr);
  ~Router() override;
  void add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {}) override;

  /// Called by match() for a path that nobody mounted: when it changes the path (takes a prefix off into Request::prefix, say) and
  /// gives true, the path is looked for again; twice at most. Set it before requests come.
  void on_unknown(std::function<bool(Request&)> strip) { strip_ = std::move(strip); }

  struct Match {
    const Handler* handler = nullptr;
    const RouteOptions* options = nullptr;
    std::string_view pattern;
    std::string allow;  ///< when the path is known but not the method
    std::size_t route = kNoRoute;  ///< index into routes()
  };
  static constexpr std::size_t kNoRoute = static_cast<std::size_t>(-1);

  /// Fills request.params.
  Match match(Request& request) const;

  /// Match and answer, with the security headers of HT-14 added. Never an Error: refusals and exceptions of the handler
  /// become generic JSON, 500 without any detail but the request's id. Gives the request an id when it has none.
  Task<Response> answer(Request& request) const;

  /// The answer to a matched request, without the security headers: what peer.cpp does, which writes those itself.
  Task<Response> answer(Request& request, const Match& match) const;

  /// The label of the request metrics of each route, in the order they were added.
  const std::vector<std::string>& routes() const { return labels_; }

 private:
  struct Node;
  struct Walk;
  Response refuse(const Request& request, const Match& match) const;
  Response translate(const Request& request, const Error& error) const;

  Match find(Request& request) const;

  Log* log_;
  std::function<bool(Request&)> strip_;
  std::unique_ptr<Node> root_;
  std::vector<std::string> labels_;
};

}  // namespace mandate::http
