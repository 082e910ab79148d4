// What a batch says, as text: pure.
#include <set>

#include "base/url.h"
#include "http/wire/target.h"
#include "tables/wire/batch.h"

namespace mandate::tables::wire {
namespace {

using http::Method;

/// The fields a request of a batch may have of its own; who is asking is said once, outside.
constexpr std::string_view kOwnFields[] = {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Content-Type"};
constexpr std::string_view kCallersFields[] = {"Authorization", "X-ZUMO-AUTH", "X-ZUMO-MASTER", "X-ZUMO-APPLICATION", "Cookie"};

constexpr std::size_t kLongestUrl = 16 << 10;  // as outside (docs/adr/0009)

Error bad(std::string text) { return {Code::bad_request, std::move(text)}; }

Result<Method> method_of(std::string_view word) {
  for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_})
    if (iequals(word, http::name(method))) return method;
  return bad("A request of a batch is GET, POST, PUT, PATCH or DELETE.");
}

/// Address → path below `root`, segments, query.
Result<void> read_url(std::string_view url, std::string_view root, std::string_view origin, BatchedRequest& out) {
  const Error wrong = bad("The url of request '" + out.id + "' is not one of this service's tables.");
  for (const char c : url)
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == '#' || c == '\\') return wrong;
  if (url.size() > kLongestUrl) return bad("The url of request '" + out.id + "' is too long.");
  if (url.starts_with(origin)) url.remove_prefix(origin.size());
  const std::size_t question = std::min(url.find('?'), url.size());
  if (question < url.size()) out.query = url.substr(question + 1);
  url = url.substr(0, question);
  if (url.starts_with('/')) {
    if (!url.starts_with(root)) return wrong;
    url.remove_prefix(root.size());
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.starts_with('$') && url.find('/') == std::string_view::npos) {
    std::string decoded;
    if (!http::wire::decode_path("/" + std::string(url), decoded)) return wrong;
    out.of = decoded.substr(2);
    return {};
  }
  for (const std::string& piece : split(url, '/')) {
    std::string decoded;
    if (piece.empty() || !http::wire::decode_path("/" + piece, decoded)) return wrong;
    out.segments.push_back(decoded.substr(1));
  }
  if (out.segments.empty() || out.segments.size() > 2 || out.segments.front().starts_with('$')) return wrong;
  out.path = root;
  for (std::size_t i = 0; i < out.segments.size(); ++i) out.path += (i ? "/" : "") + out.segments[i];
  return {};
}

Result<void> read_headers(const Json* given, BatchedRequest& out) {
  if (!given || given->is_null()) return {};
  if (!given->is_object()) return bad("The headers of request '" + out.id + "' must be an object.");
  for (const auto& [name, value] : given->get_object()) {
    const std::string_view field(name.data(), name.size());
    if (std::ranges::any_of(kCallersFields, [&](std::string_view f) { return iequals(f, field); }))
      return bad("Request '" + out.id + "' says who is asking; that is said once, by the batch.");
    if (std::ranges::none_of(kOwnFields, [&](std::string_view f) { return iequals(f, field); })) continue;
    if (!value.is_string() || view(value.get_string()).find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return bad("The header " + std::string(field) + " of request '" + out.id + "' is not text of one line.");
    out.headers.emplace_back(field, view(value.get_string()));
  }
  return {};
}

Result<void> read_order(const Json* given, const std::set<std::string, std::less<>>& before, BatchedRequest& out) {
  if (!given || given->is_null()) return {};
  if (!given->is_array()) return bad("dependsOn of request '" + out.id + "' must be a list of ids.");
  for (const Json& id : given->get_array()) {
    if (!id.is_string() || !before.contains(view(id.get_string()))) return bad("Request '" + out.id + "' depends on one that does not come before it.");
    out.after.emplace_back(view(id.get_string()));
  }
  return {};
}

/// What is said of an earlier request by "$" and its id, in the address or as a tag, is known once that one was made.
Result<void> check_references(const BatchedRequest& request) {
  const auto depends = [&](std::string_view id) { return std::ranges::find(request.after, id) != request.after.end(); };
  if (!request.of.empty() && !depends(request.of)) return bad("Request '" + request.id + "' is about the item of one that is not in its dependsOn.");
  for (const auto& [name, value] : request.headers)
    if (value.starts_with('$') && !depends(std::string_view(value).substr(1)))
      return bad("The header " + name + " of request '" + request.id + "' is of one that is not in its dependsOn.");
  return {};
}

Result<BatchedRequest> read_request(const Json& given, const std::set<std::string, std::less<>>& before, std::string_view root, std::string_view origin) {
  if (!given.is_object()) return bad("A request of a batch must be an object.");
  const JsonObject& members = given.get_object();
  BatchedRequest out;
  const auto id = text_member(members, "id"), method = text_member(members, "method"), url = text_member(members, "url");
  if (!id || id->empty() || id->size() > 128) return bad("Each request of a batch needs an id, a text of at most 128 characters.");
  out.id = *id;
  if (!method || !url) return bad("Request '" + out.id + "' needs a method and a url.");
  if (before.contains(out.id)) return bad("The id '" + out.id + "' is there twice.");
  if (const Json* group = members.if_contains("atomicityGroup"); group && !group->is_null())
    return bad("atomicityGroup is not supported: each request of a batch stands for itself.");
  TRY(out.method, method_of(*method));
  CHECK_OK(read_url(*url, root, origin, out));
  CHECK_OK(read_headers(members.if_contains("headers"), out));
  CHECK_OK(read_order(members.if_contains("dependsOn"), before, out));
  CHECK_OK(check_references(out));
  if (const Json* condition = members.if_contains("if"); condition && !condition->is_null())
    return bad("Request '" + out.id + "' has a condition 'if', which is not supported; dependsOn is.");
  if (const Json* body = members.if_contains("body")) out.body = to_json(*body);
  return out;
}

}  // namespace

Result<std::vector<BatchedRequest>> read_batch(std::string_view body, std::string_view root, std::string_view origin) {
  JsonLimits limits;
  limits.bytes = kBatchBytes;
  TRY(const Json parsed, parse_json(body, limits));
  const Json* given = parsed.is_object() ? parsed.get_object().if_contains("requests") : nullptr;
  if (!given || !given->is_array()) return bad("A batch is an object with a list of requests.");
  if (given->get_array().size() > kMostInBatch) return bad("A batch has at most " + std::to_string(kMostInBatch) + " requests.");
  std::vector<BatchedRequest> out;
  std::set<std::string, std::less<>> ids;
  for (const Json& one : given->get_array()) {
    TRY(BatchedRequest request, read_request(one, ids, root, origin));
    ids.insert(request.id);
    out.push_back(std::move(request));
  }
  return out;
}

}  // namespace mandate::tables::wire
