// The way out, short-circuited: requests to named hosts are answered by routers in this process.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/url.h"
#include "http/fetch.h"
#include "http/router.h"

namespace mandate::test {

/// Keeps what was sent; can be told to fail.
class RouterFetch final : public http::Fetch {
 public:
  /// `origin`: "https://github.com".
  void serve(std::string origin, std::shared_ptr<const http::Router> router) { routers_[std::move(origin)] = std::move(router); }

  std::vector<http::FetchRequest> sent;
  /// The next calls fail with this until it is reset.
  std::optional<Error> failure;

  Task<http::Fetched> send(http::FetchRequest request) override {
    sent.push_back(request);
    if (failure) co_return *failure;
    const std::optional<Url> url = parse_url(request.url);
    const auto at = url ? routers_.find(url->origin()) : routers_.end();
    if (at == routers_.end()) co_return Error(Code::bad_request, "blocked_address", request.url);
    http::Request inner;
    inner.method = request.method;
    inner.path = url->path.empty() ? "/" : url->path;
    const std::string query = url->query;
    inner.query = query;
    inner.target = request.url;
    inner.host = url->host + (url->port ? ":" + std::to_string(*url->port) : "");
    inner.secure = url->scheme == "https";
    inner.peer = "192.0.2.200";
    inner.body = request.body;
    for (const auto& field : request.headers.all()) inner.headers.add(field.name, field.value);
    Result<http::Response> answer = co_await at->second->answer(inner);
    if (!answer.ok()) co_return std::move(answer).error();
    http::Fetched fetched;
    fetched.status = answer->status;
    fetched.headers = answer->headers;
    fetched.body = std::move(answer->body);
    co_return fetched;
  }

 private:
  std::map<std::string, std::shared_ptr<const http::Router>> routers_;
};

}  // namespace mandate::test
