#include "tables/script_fetch.h"

#include "base/base64.h"
#include "base/url.h"
#include "http/wire/characters.h"

namespace mandate::tables {
namespace {

constexpr std::size_t kMostHeaders = 100, kMostHeaderBytes = 32 << 10;

Counter& exchanges(Metrics& metrics, std::string outcome) {
  return metrics.counter("mandate_scripts_fetches_total", "Requests that scripts made to other servers, by outcome.", {{"outcome", std::move(outcome)}});
}

/// What the sender of the message itself decides.
bool ours(std::string_view name) {
  for (const std::string_view each : {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect", "accept-encoding"})
    if (iequals(name, each)) return true;
  return ascii_lower(name).starts_with("proxy-");
}

Result<http::Method> method_of(std::string_view word) {
  using http::Method;
  for (const Method each : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::delete_, Method::options})
    if (word == http::name(each)) return each;
  return Error(Code::bad_request, "'" + std::string(word.substr(0, 20)) + "' is not a method that a request can have.");
}

Result<http::Headers> headers_of(const Json* given) {
  http::Headers out;
  const JsonArray* list = given ? given->if_array() : nullptr;
  if (!list) return out;
  std::size_t bytes = 0;
  for (const Json& each : *list) {
    const JsonArray* pair = each.if_array();
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) return Error(Code::bad_request, "A header is a name and a value.");
    const std::string_view name = view((*pair)[0].get_string()), value = view((*pair)[1].get_string());
    if (!http::wire::is_token(name) || !http::wire::is_field_value(value)) return Error(Code::bad_request, "A header has characters that a header cannot have.");
    bytes += name.size() + value.size();
    if (out.all().size() >= kMostHeaders || bytes > kMostHeaderBytes) return Error(Code::bad_request, "The headers of the request are too large.");
    if (!ours(name)) out.add(name, value);
  }
  return out;
}

Result<http::FetchRequest> request_of(const Json& arguments, Deadline deadline) {
  const JsonObject* given = arguments.if_object();
  if (!given) return Error(Code::bad_request, "The request must be an object.");
  http::FetchRequest out;
  TRY(out.method, method_of(text_member(*given, "method").value_or("GET")));
  out.url = std::string(text_member(*given, "url").value_or(""));
  TRY(out.headers, headers_of(given->if_contains("headers")));
  if (const auto body = text_member(*given, "body")) {
    std::optional<std::string> bytes = base64_any_decode(*body);
    if (!bytes) return Error(Code::bad_request, "The body cannot be read.");
    if (bytes->size() > ScriptFetch::kMostOut) return Error(Code::bad_request, "The body of the request is too large.");
    out.body = std::move(*bytes);
  }
  out.answer_limit = ScriptFetch::kMostIn;
  out.deadline = deadline;
  if (const auto ms = integer_member(*given, "timeout"); ms && *ms > 0)
    out.deadline = std::min(out.deadline, std::chrono::steady_clock::now() + std::chrono::milliseconds(std::min<std::int64_t>(*ms, 600'000)));
  return out;
}

}  // namespace

ScriptFetch::ScriptFetch(http::Fetch& fetch, Log& log, Metrics& metrics)
    : fetch_(fetch), log_(log), good_(exchanges(metrics, "answered")), refused_(exchanges(metrics, "refused")), failed_(exchanges(metrics, "failed")) {}

Task<Json> ScriptFetch::fetch(std::string service, Json arguments, Deadline deadline) {
  Result<http::FetchRequest> request = request_of(arguments, deadline);
  if (!request.ok()) {
    refused_.add();
    co_return std::move(request).error();
  }
  Task<http::Fetched> sending = fetch_.send(std::move(*request));
  Result<http::Fetched> got = co_await sending;
  if (!got.ok()) {
    const bool refused = got.error().code == Code::bad_request;
    (refused ? refused_ : failed_).add();
    if (refused) log_.warn("scripts.fetch_refused", {{"service", service}, {"reason", got.error().hint}});
    co_return std::move(got).error();
  }
  good_.add();
  JsonArray headers;
  for (const auto& field : got->headers.all()) headers.emplace_back(JsonArray{field.name, field.value});
  JsonObject out{{"status", got->status}, {"headers", std::move(headers)}};
  if (!got->body.empty()) out["body"] = base64(got->body);
  co_return out;
}

}  // namespace mandate::tables
