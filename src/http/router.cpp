#include "http/router.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "http/security_headers.h"

namespace mandate::http {
namespace {

constexpr std::size_t kMethods = static_cast<std::size_t>(Method::other);

std::size_t slot(Method method) { return static_cast<std::size_t>(method); }

/// The next segment of `path`, taken off its front together with the slash behind it.
std::string_view take_segment(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  return segment;
}

/// Without leading and trailing slashes; a doubled leading slash and one trailing slash do not matter.
std::string_view bare(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::string_view segment = take_segment(path);
    if (segment == "." || segment == "..") return true;
  }
  return false;
}

}  // namespace

struct Router::Node {
  struct Endpoint {
    Handler handler;
    RouteOptions options;
    std::string pattern;
    std::size_t route;
  };
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;  // sorted by text
  std::unique_ptr<Node> any, rest;
  std::array<std::unique_ptr<Endpoint>, kMethods> endpoints;

  Node* literal(std::string_view text) const {
    const auto at = std::lower_bound(literals.begin(), literals.end(), text,
                                     [](const auto& entry, std::string_view key) { return entry.first < key; });
    return at != literals.end() && at->first == text ? at->second.get() : nullptr;
  }
  Node& make_literal(std::string_view text) {
    if (Node* there = literal(text)) return *there;
    const auto at = std::lower_bound(literals.begin(), literals.end(), text,
                                     [](const auto& entry, std::string_view key) { return entry.first < key; });
    return *literals.emplace(at, std::string(text), std::make_unique<Node>())->second;
  }

  /// HEAD is answered by GET, OPTIONS by a handler that asked for it.
  const Endpoint* endpoint(Method method) const {
    if (method == Method::other) return nullptr;
    if (const auto& own = endpoints[slot(method)]) return own.get();
    if (method == Method::head) return endpoints[slot(Method::get)].get();
    if (method == Method::options)
      for (const auto& candidate : endpoints)
        if (candidate && candidate->options.handles_options) return candidate.get();
    return nullptr;
  }
};

/// One walk down the tree: the first node that knows the method wins, literals before placeholders; on the way the
/// methods of every node that matches the path are gathered for Allow.
struct Router::Walk {
  Method method;
  std::vector<std::string>& params;
  std::array<bool, kMethods> allowed{};
  bool known = false;

  const Node::Endpoint* end(const Node& node) {
    if (const Node::Endpoint* found = node.endpoint(method)) return found;
    for (std::size_t i = 0; i < kMethods; ++i)
      if (node.endpoints[i]) allowed[i] = true, known = known || i != slot(Method::options);  // a preflight alone is no resource
    return nullptr;
  }

  const Node::Endpoint* down(const Node& node, std::string_view path, bool more) {
    if (!more) return end(node);
    std::string_view behind = path;
    const std::string_view segment = take_segment(behind);
    const bool more_behind = segment.size() < path.size();
    if (const Node* next = node.literal(segment))
      if (const Node::Endpoint* found = down(*next, behind, more_behind)) return found;
    if (segment.empty()) return nullptr;
    if (node.any) {
      params.emplace_back(segment);
      if (const Node::Endpoint* found = down(*node.any, behind, more_behind)) return found;
      params.pop_back();
    }
    if (node.rest) {
      params.emplace_back(path);
      if (const Node::Endpoint* found = end(*node.rest)) return found;
      params.pop_back();
    }
    return nullptr;
  }

  std::string allow() const {
    std::string out;
    auto append = [&](Method m) { (out += out.empty() ? "" : ", ") += name(m); };
    for (std::size_t i = 0; i < kMethods; ++i) {
      const auto m = static_cast<Method>(i);
      if (allowed[i] || (m == Method::head && allowed[slot(Method::get)]) || m == Method::options) append(m);
    }
    return out;
  }
};

Router::Router(Log* log) : log_(log), root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(Method method, std::string_view pattern, Handler handler, RouteOptions options) {
  if (method == Method::other || !pattern.starts_with('/') || !handler)
    throw std::invalid_argument("route " + std::string(pattern));
  Node* node = root_.get();
  for (std::string_view rest = bare(pattern); !rest.empty();) {
    const std::string_view segment = take_segment(rest);
    if (segment.starts_with('{') && segment.ends_with("...}")) {
      if (!rest.empty()) throw std::invalid_argument("nothing can follow the rest: " + std::string(pattern));
      if (!node->rest) node->rest = std::make_unique<Node>();
      node = node->rest.get();
    } else if (segment.starts_with('{') && segment.ends_with('}')) {
      if (!node->any) node->any = std::make_unique<Node>();
      node = node->any.get();
    } else {
      node = &node->make_literal(segment);
    }
  }
  auto& endpoint = node->endpoints[slot(method)];
  if (endpoint) throw std::invalid_argument("route given twice: " + std::string(name(method)) + " " + std::string(pattern));
  labels_.emplace_back(options.metric.empty() ? pattern : options.metric);
  endpoint = std::make_unique<Node::Endpoint>(
      Node::Endpoint{std::move(handler), options, std::string(pattern), labels_.size() - 1});
  endpoint->options.metric = {};  // the label is kept in labels_; the caller's view need not live on
}

Router::Match Router::match(Request& request) const {
  Match match = find(request);
  for (int asked = 0; asked < 2 && !match.handler && match.allow.empty() && strip_ && strip_(request); ++asked) match = find(request);
  return match;
}

Router::Match Router::find(Request& request) const {
  request.params.clear();
  Match match;
  const std::string_view path = bare(request.path);
  if (has_dot_segment(path)) return match;
  Walk walk{request.method, request.params};
  if (const Node::Endpoint* found = walk.down(*root_, path, !path.empty())) {
    match.handler = &found->handler;
    match.options = &found->options;
    match.pattern = found->pattern;
    match.route = found->route;
  } else if (walk.known) {
    match.allow = walk.allow();
  }
  return match;
}

Response Router::refuse(const Request& request, const Match& match) const {
  if (match.allow.empty()) return Response::json(404, std::string(R"({"error":"not_found"})"));
  Response response = request.method == Method::options
                          ? Response(204)
                          : Response::json(405, std::string(R"({"error":"method_not_allowed"})"));
  response.headers.set("Allow", match.allow);
  return response;
}

Response Router::translate(const Request& request, const Error& error) const {
  const int status = http_status(error.code);
  if (status >= 500 && log_)
    log_->error("request failed", {{"request_id", request.id},
                                   {"method", name(request.method)},
                                   {"path", request.path},
                                   {"code", mandate::name(error.code)},
                                   {"hint", error.hint},
                                   {"detail", error.detail}});
  JsonObject body;
  body["error"] = mandate::name(error.code);
  if (status == 500) {
    body["error_description"] = "Something went wrong on our side.";
    body["request_id"] = request.id;
  } else if (!error.hint.empty()) {
    body["error_description"] = error.hint;
  }
  Response response = Response::json(status, Json(std::move(body)));
  response.no_store();
  return response;
}

Task<Response> Router::answer(Request& request, const Match& match) const {
  if (!match.handler) co_return refuse(request, match);
  std::string bug;
  try {
    Task<Response> handled = (*match.handler)(request);
    Result<Response> result = co_await handled;
    if (result.ok()) co_return std::move(result).value();
    co_return translate(request, result.error());
  } catch (const std::exception& e) {
    bug = e.what();
  } catch (...) {
    bug = "an exception of unknown type";
  }
  co_return translate(request, Error(Code::server_error, {}, std::move(bug)));
}

Task<Response> Router::answer(Request& request) const {
  const Match found = match(request);
  Task<Response> task = answer(request, found);
  Result<Response> result = co_await task;
  Response response = std::move(result).value();
  Headers missing;
  for_missing_security_headers(request, response,
                               [&](std::string_view n, std::string_view v) { missing.set(n, v); });
  for (const Headers::Field& field : missing.all()) response.headers.set(field.name, field.value);
  co_return response;
}

}  // namespace mandate::http
