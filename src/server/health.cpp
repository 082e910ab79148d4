#include "server/health.h"

namespace mandate::server {
namespace {

Task<http::Response> health(http::Request&) {
  // Sixty bytes, built per request like any other answer: this is also the floor that bench/ measures.
  co_return http::Response::json(200, std::string(R"({"status":"ok","service":"mandated","wire":"http/1","up":1})"));
}

}  // namespace

void mount_health(http::Routes& routes) {
  for (const std::string_view path : {"/health", "/ok", "/test"}) routes.get(path, health);
}

}  // namespace mandate::server
