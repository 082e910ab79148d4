#include "tables/wire/batch.h"

#include <map>

#include "base/loop.h"
#include "base/url.h"
#include "http/compress.h"
#include "http/wire/characters.h"
#include "tables/wire/cors.h"

namespace mandate::tables::wire {
namespace {

using http::Method;
using http::Response;

/// A page may have 8 MB and a script's answer 4: so many may be made at once that their answers stay a hundred.
constexpr std::size_t kAtOnce = 100, kReadCosts = 8, kWriteCosts = 4;

/// Fields of the batch that belong to its own body, connection and conditions, not to the requests inside.
bool of_the_batch_alone(std::string_view name) {
  for (const std::string_view prefix : {"Content-", "If-", "Accept-Encoding", "Prefer", "Transfer-", "Connection", "X-HTTP-Method-Override", "Expect"})
    if (iequals(name.substr(0, prefix.size()), prefix)) return true;
  return false;
}

bool goes_on(const http::Request& request) {
  for (const std::string& piece : split(request.headers.get("Prefer"), ',')) {
    const std::string word = ascii_lower(http::wire::trim(piece));
    if (word == "continue-on-error" || word == "odata.continue-on-error" || word == "continue-on-error=true" || word == "odata.continue-on-error=true") return true;
  }
  return false;
}

Response refused_here(int status, std::string_view text) { return Response::json(status, JsonObject{{"error", text}}); }

void append_answer(std::string& out, const std::string& id, const Response& answer) {
  out += "{\"id\":";
  append_json_string(out, id);
  out += ",\"status\":" + std::to_string(answer.status) + ",\"headers\":{";
  bool first = true;
  std::string_view type;
  for (const auto& [name, value] : answer.headers.all()) {
    if (iequals(name, "Content-Type")) type = value;
    if (!iequals(name, "Content-Type") && !iequals(name, "ETag") && !iequals(name, "Location") && !iequals(name, "Link") && !iequals(name, "Last-Modified") && !iequals(name, "Retry-After")) continue;
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, ascii_lower(name));
    out += ':';
    append_json_string(out, value);
  }
  out += '}';
  if (!answer.body.empty()) {
    out += ",\"body\":";
    if (type.find("json") != std::string_view::npos) out += answer.body;
    else append_json_string(out, answer.body);
  }
  out += '}';
}

}  // namespace

/// The item that an answered request was about: where it says that it made one, or its own address.
std::optional<std::vector<std::string>> item_of(const BatchedRequest& request, const Response& answer) {
  if (request.segments.size() == 2) return request.segments;
  const std::string_view location = answer.headers.get("Location");
  if (location.empty() || request.segments.empty()) return std::nullopt;
  return std::vector<std::string>{request.segments.front(), percent_decode(location.substr(location.rfind('/') + 1))};
}

/// What the requests inside share; each holds it until it has ended.
struct BatchDoor::Work {
  Work(http::Request& r, std::optional<Dialect> f) : outer(r), forced(f) {}

  http::Request& outer;
  std::optional<Dialect> forced;
  std::vector<BatchedRequest> requests;
  std::vector<std::optional<Response>> answers;
  std::map<std::string, std::size_t, std::less<>> places;
  std::size_t bytes = 0;     ///< of the answers so far
  std::size_t awaited = 0;   ///< of those being made
  std::unique_ptr<Signal<bool>> all_made;

  bool failed(std::size_t at) const { return answers[at] && answers[at]->status >= 400; }
};

BatchDoor::BatchDoor(const Deps& deps, std::shared_ptr<Door> tables)
    : deps_(deps), tables_(std::move(tables)), batches_(deps.metrics.counter("mandate_tables_batches_total", "Batches of requests on tables.")),
      requests_(deps.metrics.counter("mandate_tables_batched_total", "Requests that came in batches.")) {}

Task<Response> BatchDoor::handle(http::Request& request, std::optional<Dialect> forced) {
  CO_TRY(const tenant::Here here, deps_.tenants.by_host(request.host));
  const tenant::Service* service = here->service_of(request);
  const Dialect dialect = forced.value_or(Dialect::v4);
  if (!service) {
    const Error nobody(Code::not_found, "Not Found");
    co_return family_of(dialect).error_of(dialect, nobody, request);
  }
  if (request.method == Method::options) co_return preflight(request, *service);
  if (request.method != Method::post) {
    Response only_post(405);
    only_post.headers.set("Allow", "POST, OPTIONS");
    add_cors(only_post, request, *service);
    co_return only_post;
  }
  Task<Response> task = carry_out(request, forced);
  Result<Response> result = co_await task;
  Response response = result.ok() ? std::move(result).value() : family_of(dialect).error_of(dialect, result.error(), request);
  response.headers.set("OData-Version", "4.01");
  add_cors(response, request, *service);
  http::compress(response, request);
  co_return response.no_store();
}

Task<Response> BatchDoor::carry_out(http::Request& request, std::optional<Dialect> forced) {
  if (request.refused && request.refused != 413) co_return Error(Code::bad_request, "The request body is malformed.");
  if (request.refused) co_return Error(Code::payload_too_large, "A batch has at most 4 MiB.");
  CO_CHECK(check_json_type(request));
  const auto work = std::make_shared<Work>(request, forced);
  const std::string root = request.prefix + root_of(forced), origin = request.origin();
  CO_TRY(work->requests, read_batch(request.body, root, origin));
  work->answers.resize(work->requests.size());
  for (std::size_t i = 0; i < work->requests.size(); ++i) work->places.emplace(work->requests[i].id, i);
  batches_.add();
  requests_.add(static_cast<double>(work->requests.size()));

  const bool on = goes_on(request);
  std::size_t made = 0;
  while (made < work->requests.size()) {
    std::vector<std::size_t> together;
    std::size_t cost = 0;
    // Those in a row that wait for none of this round. Without the preference it is one, and a failure is the end.
    for (std::size_t i = made; i < work->requests.size() && (together.empty() || on); ++i) {
      const BatchedRequest& next = work->requests[i];
      const bool waits = std::ranges::any_of(next.after, [&](const std::string& id) { return work->places.at(id) >= made; });
      cost += next.method == Method::get ? kReadCosts : kWriteCosts;
      if (waits || (cost > kAtOnce && !together.empty())) break;
      together.push_back(i);
    }
    made += together.size();
    Task<void> making = make_all(work, std::move(together));
    CO_CHECK(co_await making);
    if (!on && work->failed(made - 1)) break;
  }
  std::string body = "{\"responses\":[";
  body.reserve(work->bytes + 256 * made);
  for (std::size_t i = 0; i < made; ++i) {
    if (i) body += ',';
    append_answer(body, work->requests[i].id, *work->answers[i]);
  }
  body += "]}";
  Response response = Response::json(200, std::move(body));
  if (on) response.headers.set("Preference-Applied", "continue-on-error");
  co_return response;
}

Task<void> BatchDoor::make_all(std::shared_ptr<Work> work, std::vector<std::size_t> together) {
  work->awaited = together.size();
  work->all_made = std::make_unique<Signal<bool>>();
  for (const std::size_t at : together)
    spawn(make(work, at), [this, work, at](Result<void> done) {
      // What the door cannot answer by itself is answered as anywhere else: nothing told, and said in the log.
      if (!done.ok()) deps_.log.error("tables.failed", {{"request_id", work->outer.id}, {"code", name(done.error().code)}, {"detail", done.error().detail}});
      if (!done.ok() && !work->answers[at]) work->answers[at] = refused_here(http_status(done.error().code), http::reason(http_status(done.error().code)));
      work->bytes += work->answers[at]->body.size();
      if (--work->awaited == 0) work->all_made->set_here(true);
    });
  CO_TRY([[maybe_unused]] const bool all, co_await *work->all_made);
  co_return ok();
}

Task<void> BatchDoor::make(std::shared_ptr<Work> work, std::size_t at) {
  BatchedRequest& asked = work->requests[at];
  if (work->bytes > kBatchAnswerBytes) {
    work->answers[at] = refused_here(413, "The answers of this batch are too large; ask for the rest in another.");
    co_return ok();
  }
  for (const std::string& before : asked.after)
    if (work->failed(work->places.at(before))) {
      work->answers[at] = refused_here(424, "A request that this one depends on has failed.");
      co_return ok();
    }
  const http::Request& outer = work->outer;
  if (!asked.of.empty()) {
    const std::size_t before = work->places.at(asked.of);
    auto item = item_of(work->requests[before], *work->answers[before]);
    if (!item) {
      work->answers[at] = refused_here(400, "The request that this one refers to is not about one item.");
      co_return ok();
    }
    asked.segments = std::move(*item);
    asked.path = outer.prefix + root_of(work->forced) + asked.segments[0] + "/" + asked.segments[1];
  }
  for (auto& [name, value] : asked.headers) {
    if (!value.starts_with('$')) continue;
    value = work->answers[work->places.at(value.substr(1))]->headers.get("ETag");
    if (!value.empty()) continue;
    work->answers[at] = refused_here(400, "The request whose version this one names has none.");
    co_return ok();
  }
  http::Request inner;
  inner.method = asked.method;
  inner.target = asked.path;
  inner.path = std::string_view(asked.path).substr(outer.prefix.size());
  inner.prefix = outer.prefix;
  inner.query = asked.query;
  for (const auto& [name, value] : outer.headers.all())
    if (!of_the_batch_alone(name)) inner.headers.add(name, value);
  for (const auto& [name, value] : asked.headers) inner.headers.add(name, value);
  inner.body = asked.body;
  inner.host = outer.host;
  inner.secure = outer.secure;
  inner.local_admin = outer.local_admin;
  inner.peer = outer.peer;
  inner.id = outer.id + "." + std::to_string(at + 1);
  inner.deadline = outer.deadline;
  inner.params = asked.segments;
  Task<Response> task = tables_->tables(inner, work->forced);
  CO_TRY(work->answers[at], co_await task);
  co_return ok();
}

}  // namespace mandate::tables::wire
