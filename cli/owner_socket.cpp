#include "owner_socket.h"

#include <curl/curl.h>

#include <memory>

namespace mandate::cli {

namespace {

constexpr std::size_t kMostAnswer = 64 << 20;

std::size_t take(char* data, std::size_t size, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kMostAnswer) return 0;
  body.append(data, size * count);
  return size * count;
}

struct EasyEnd {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

Result<Answer> OwnerSocket::send(std::string_view method, const std::string& target, std::string_view body,
                                 std::string_view content_type) const {
  const std::unique_ptr<CURL, EasyEnd> handle(curl_easy_init());
  if (!handle) return Error(Code::server_error, "libcurl cannot be started");
  CURL* c = handle.get();
  Answer answer;
  const std::string url = "http://mandate" + target, verb(method);
  std::unique_ptr<curl_slist, ListEnd> headers(curl_slist_append(nullptr, "Expect:"));
  const std::string type = "Content-Type: " + std::string(content_type.empty() ? "application/octet-stream" : content_type);
  headers.reset(curl_slist_append(headers.release(), type.c_str()));
  curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, path_.c_str());
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, 300L);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer.body);
  if (method != "GET") {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data() ? body.data() : "");
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, verb.c_str());
  }
  const CURLcode code = curl_easy_perform(c);
  if (code == CURLE_COULDNT_CONNECT)
    return Error(Code::temporarily_unavailable,
                 "no server answers at " + path_ + ": start mandated, or name its socket with --socket or MANDATE_SOCKET");
  if (code != CURLE_OK) return Error(Code::upstream_error, path_ + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

Error refusal(const Answer& answer) {
  const Result<Json> body = parse_json(answer.body);
  if (body.ok() && body->is_object())
    if (const auto message = text_member(body->get_object(), "message")) return Error(Code::bad_request, std::string(*message));
  return Error(Code::bad_request, "the server answered " + std::to_string(answer.status));
}

Result<Json> OwnerSocket::ask(std::string_view method, const std::string& target, std::string_view body,
                              std::string_view content_type) const {
  TRY(const Answer answer, send(method, target, body, content_type));
  if (answer.status < 200 || answer.status > 299) return refusal(answer);
  if (answer.body.empty()) return Json(JsonObject());
  JsonLimits limits;
  limits.bytes = kMostAnswer;
  limits.string_bytes = 8 << 20;
  return parse_json(answer.body, limits);
}

}  // namespace mandate::cli
