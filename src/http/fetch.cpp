#include "http/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <mutex>

#include "http/outbound/address_rules.h"
#include "http/outbound/resolver.h"
#include "http/outbound/transfers.h"
#include "http/wire/characters.h"

namespace mandate::http {
namespace {

using outbound::Address;
using outbound::Target;

constexpr long kConnectMs = 3'000;
constexpr std::chrono::milliseconds kTotal{10'000};
constexpr std::size_t kHeaderBytes = 64 << 10;

/// What libcurl's callbacks need of one transfer.
struct Transfer {
  std::vector<Address> checked;
  Fetched fetched;
  std::size_t limit = 0, header_bytes = 0;
  bool too_large = false;
};

std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.fetched.body.size() + size > transfer.limit) return transfer.too_large = true, 0;
  transfer.fetched.body.append(bytes, size);
  return size;
}

std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kHeaderBytes) return transfer.too_large = true, 0;
  std::string_view line(bytes, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) transfer.fetched.headers = {};  // an interim answer came before
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !wire::is_token(line.substr(0, colon))) return size;
  const std::string_view value = wire::trim(line.substr(colon + 1));
  if (wire::is_field_value(value)) transfer.fetched.headers.add(line.substr(0, colon), value);
  return size;
}

/// The last gate: no socket to an address that was not checked (OB-2).
curl_socket_t open_checked(void* self, curlsocktype, curl_sockaddr* to) {
  const auto& transfer = *static_cast<const Transfer*>(self);
  Address address;
  if (to->family == AF_INET) {
    address.bytes[10] = address.bytes[11] = 0xFF;
    std::memcpy(&address.bytes[12], &reinterpret_cast<const sockaddr_in&>(to->addr).sin_addr, 4);
  } else if (to->family == AF_INET6) {
    address.v6 = true;
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(to->addr).sin6_addr, 16);
  } else {
    return CURL_SOCKET_BAD;
  }
  if (std::find(transfer.checked.begin(), transfer.checked.end(), address) == transfer.checked.end())
    return CURL_SOCKET_BAD;
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
}

struct Easy {
  Easy() : handle(curl_easy_init()) {}
  ~Easy() {
    curl_easy_cleanup(handle);
    curl_slist_free_all(headers);
    curl_slist_free_all(resolve);
  }
  Easy(const Easy&) = delete;
  Easy& operator=(const Easy&) = delete;
  CURL* handle;
  curl_slist *headers = nullptr, *resolve = nullptr;
};

void prepare(Easy& easy, Transfer& transfer, const FetchRequest& request, const Target& target,
             const std::string& ca_file, std::chrono::milliseconds left) {
  CURL* curl = easy.handle;
  const auto set = [curl](CURLoption option, auto value) { curl_easy_setopt(curl, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_NOSIGNAL, 1L);
  const bool plain = target.url.scheme == "http";
  long version = CURL_HTTP_VERSION_1_1;
  if (request.version != FetchRequest::Version::one && !plain) version = CURL_HTTP_VERSION_2TLS;
  if (request.version == FetchRequest::Version::two && plain) version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  set(CURLOPT_HTTP_VERSION, version);
  if (version != CURL_HTTP_VERSION_1_1) set(CURLOPT_PIPEWAIT, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str()), set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  set(CURLOPT_CONNECTTIMEOUT_MS, std::min<long>(kConnectMs, left.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_OPENSOCKETFUNCTION, &open_checked);
  set(CURLOPT_OPENSOCKETDATA, &transfer);

  std::string entry = target.host + ":" + std::to_string(target.port) + ":";
  for (std::size_t i = 0; i < transfer.checked.size(); ++i) {
    if (i) entry += ',';
    const std::string text = wire::format_address(transfer.checked[i].bytes);
    entry += transfer.checked[i].v6 ? "[" + text + "]" : text;
  }
  if (!target.literal) {
    easy.resolve = curl_slist_append(nullptr, entry.c_str());
    set(CURLOPT_RESOLVE, easy.resolve);
  }

  bool typed = false;
  auto header = [&easy](const std::string& line) { easy.headers = curl_slist_append(easy.headers, line.c_str()); };
  for (const Headers::Field& field : request.headers.all()) {
    typed |= iequals(field.name, "Content-Type");
    header(field.value.empty() ? field.name + ";" : field.name + ": " + field.value);
  }
  header("Expect:");
  if (!request.headers.has("User-Agent")) header("User-Agent: mandate");
  const bool sends = !request.body.empty() || request.method == Method::post || request.method == Method::put ||
                     request.method == Method::patch;
  if (sends) {
    if (!typed) header("Content-Type:");
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method == Method::head) set(CURLOPT_NOBODY, 1L);
  else set(CURLOPT_CUSTOMREQUEST, std::string(name(request.method)).c_str());
  set(CURLOPT_HTTPHEADER, easy.headers);
}

class CheckedFetch final : public Fetch {
 public:
  CheckedFetch(std::vector<std::string> allowed, std::string ca_file)
      : allowed_(std::move(allowed)), ca_file_(std::move(ca_file)) {}

  Task<Fetched> send(FetchRequest request) override {
    const Deadline deadline = std::min(request.deadline, std::chrono::steady_clock::now() + kTotal);
    CO_TRY(const Target target, outbound::check_url(request.url, allowed_));
    Transfer transfer;
    Task<std::vector<Address>> looking = addresses(target, deadline);
    Result<std::vector<Address>> found = co_await looking;
    CO_TRY(transfer.checked, std::move(found));
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) co_return Error(Code::timeout, "The other server did not answer in time.");

    Easy easy;
    transfer.limit = request.answer_limit;
    prepare(easy, transfer, request, target, ca_file_, left);
    Task<int> running = transfers_here(request.version != FetchRequest::Version::one).run(easy.handle);
    const Result<int> ran = co_await running;
    const auto code = static_cast<CURLcode>(*ran);
    if (code == CURLE_OPERATION_TIMEDOUT)
      co_return Error(Code::timeout, "The other server did not answer in time.", target.host);
    if (code != CURLE_OK)
      co_return Error(Code::upstream_error, transfer.too_large ? "The other server's answer is too large."
                                                               : "The other server cannot be reached.",
                      target.host + ": " + curl_easy_strerror(code));
    long status = 0, version = 0;
    curl_easy_getinfo(easy.handle, CURLINFO_HTTP_VERSION, &version);
    if (request.version == FetchRequest::Version::two && version != CURL_HTTP_VERSION_2_0)
      co_return Error(Code::upstream_error, "The other server does not speak HTTP/2.", target.host);
    curl_easy_getinfo(easy.handle, CURLINFO_RESPONSE_CODE, &status);
    transfer.fetched.status = static_cast<int>(status);
    co_return std::move(transfer.fetched);
  }

  Task<void> check(std::string url) override {
    CO_TRY(const Target target, outbound::check_url(url, allowed_));
    const Deadline deadline = std::chrono::steady_clock::now() + kTotal;
    Task<std::vector<Address>> looking = addresses(target, deadline);
    const Result<std::vector<Address>> found = co_await looking;
    CO_CHECK(found);
    co_return ok();
  }

 private:
  /// The addresses of `target`, all of them fit: one bad one spoils the name (OB-2).
  Task<std::vector<Address>> addresses(const Target& target, Deadline deadline) {
    std::vector<Address> found;
    if (target.literal) {
      found.push_back({*wire::parse_address(target.url.host), target.url.host.starts_with('[')});
    } else {
      Task<std::vector<Address>> looking = resolver_.resolve(target.host, deadline);
      Result<std::vector<Address>> resolved = co_await looking;
      CO_TRY(found, std::move(resolved));
    }
    if (!target.allowed_private)
      for (const Address& address : found)
        if (!outbound::is_public(address)) co_return Error(Code::bad_request, "blocked_address", target.host);
    co_return found;
  }

  /// A connection that speaks HTTP/1.1 would be used for what asks for HTTP/2: each has its own.
  outbound::Transfers& transfers_here(bool http2) {
    Loop* loop = Loop::current();
    const std::lock_guard lock(mutex_);
    auto& here = transfers_[{loop, http2}];
    if (!here) here = std::make_unique<outbound::Transfers>(*loop);
    return *here;
  }

  std::vector<std::string> allowed_;
  std::string ca_file_;
  std::mutex mutex_;
  std::map<std::pair<Loop*, bool>, std::unique_ptr<outbound::Transfers>> transfers_;
  outbound::Resolver resolver_;
};

}  // namespace

std::unique_ptr<Fetch> make_fetch(std::vector<std::string> allowed_hosts, std::string ca_file) {
  return std::make_unique<CheckedFetch>(std::move(allowed_hosts), std::move(ca_file));
}

}  // namespace mandate::http
