#include "http/wire/head.h"

#include <llhttp.h>

#include "base/url.h"
#include "http/wire/characters.h"
#include "http/wire/target.h"

namespace mandate::http::wire {
namespace {

constexpr std::size_t kCookieBytes = 8 << 10, kCookies = 50;

Method known_method(std::string_view text) {
  if (text == "GET") return Method::get;
  if (text == "POST") return Method::post;
  if (text == "PUT") return Method::put;
  if (text == "PATCH") return Method::patch;
  if (text == "DELETE") return Method::delete_;
  if (text == "HEAD") return Method::head;
  if (text == "OPTIONS") return Method::options;
  return Method::other;
}

/// What the fields say that matters before routing.
struct Seen {
  std::string_view host, length, coding, forwarded_for, forwarded_proto, method_override;
  int hosts = 0, lengths = 0, codings = 0;
  std::size_t cookies = 0, cookie_bytes = 0;
};

/// Connection: a list of tokens; only "close" concerns us.
bool names_close(std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (iequals(trim(list.substr(0, comma)), "close")) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool about_the_client(std::string_view name) {
  return (name.size() > 12 && iequals(name.substr(0, 12), "X-Forwarded-")) || iequals(name, "Forwarded") ||
         iequals(name, "X-Real-Ip") || iequals(name, "X-Arr-Ssl");
}

/// One field into `request.headers`; 0 or the status to refuse with.
int take_field(std::string_view line, bool trusted, Request& request, Framing& framing, Seen& seen) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return 400;
  const std::string_view name = line.substr(0, colon), value = trim(line.substr(colon + 1));
  if (!is_token(name) || !is_field_value(value)) return 400;
  // A gateway in front may turn "_" into "-" or back; such a name cannot be trusted to be what it was (HT-8).
  if (name.find('_') != std::string_view::npos) return 0;
  switch (name.size()) {
    case 4:
      if (iequals(name, "Host")) ++seen.hosts, seen.host = value;
      break;
    case 6:
      if (iequals(name, "Expect")) {
        if (!iequals(value, "100-continue")) return 417;
        framing.expects_continue = true;
      } else if (iequals(name, "Cookie")) {
        seen.cookie_bytes += value.size();
        seen.cookies += 1 + static_cast<std::size_t>(std::count(value.begin(), value.end(), ';'));
        if (seen.cookie_bytes > kCookieBytes || seen.cookies > kCookies) return 431;
      }
      break;
    case 10:
      if (iequals(name, "Connection") && names_close(value)) framing.close = true;
      break;
    case 14:
      if (iequals(name, "Content-Length")) ++seen.lengths, seen.length = value;
      break;
    case 15:
      if (iequals(name, "X-Forwarded-For")) seen.forwarded_for = value;
      break;
    case 16:
      if (iequals(name, "Content-Encoding") && !iequals(value, "identity")) return 415;
      break;
    case 17:
      if (iequals(name, "Transfer-Encoding")) ++seen.codings, seen.coding = value;
      else if (iequals(name, "X-Forwarded-Proto")) seen.forwarded_proto = value;
      break;
    case 22:
      if (iequals(name, "X-HTTP-Method-Override")) seen.method_override = value;
      break;
    default: break;
  }
  if (!trusted && about_the_client(name)) return 0;
  request.headers.add(name, value);
  return 0;
}

/// HT-1, HT-2.
int frame(const Seen& seen, int minor, Framing& framing) {
  if (seen.codings) {
    if (seen.codings > 1 || seen.lengths || minor == 0 || seen.coding.empty()) return 400;
    if (!iequals(seen.coding, "chunked")) {
      // Words we do not know are 501; the known one in a strange place or form is 400.
      const std::string lower = ascii_lower(seen.coding);
      return lower.find("chunked") == std::string::npos ? 501 : 400;
    }
    framing.chunked = true;
  } else if (seen.lengths) {
    if (seen.lengths > 1 || seen.length.empty() || seen.length.size() > 18) return 400;
    for (char c : seen.length) {
      if (c < '0' || c > '9') return 400;
      framing.length = framing.length * 10 + static_cast<std::uint64_t>(c - '0');
    }
  }
  return 0;
}

/// Target and host, with what a trusted proxy says about the client.
int place(std::string_view target, int minor, const HeadContext& context, bool trusted, const Seen& seen,
          Request& request) {
  if (seen.hosts > 1 || (seen.hosts == 0 && minor == 1)) return 400;
  if (seen.hosts == 1 && !valid_host(seen.host)) return 400;
  request.target = target;
  std::string_view rest = target, authority;
  if (target == "*") {
    if (request.method != Method::options) return 400;
  } else if (!target.starts_with('/')) {
    if (!split_absolute(target, authority, rest)) return 400;
    if (!iequals(authority, seen.host)) return 400;
    if (rest.empty()) rest = "/";
    if (rest.starts_with('?')) return 400;
  }
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  request.query = rest.substr(std::min(mark + 1, rest.size()));
  request.prefix.clear();  // of the request before on this connection
  if (!decode_path(rest.substr(0, mark), request.path)) return 400;

  request.secure = context.tls;
  request.peer.assign(context.peer);
  if (trusted) {
    const std::size_t comma = seen.forwarded_proto.rfind(',');
    const std::string_view proto =
        trim(comma == std::string_view::npos ? seen.forwarded_proto : seen.forwarded_proto.substr(comma + 1));
    if (!proto.empty()) request.secure = iequals(proto, "https");
    request.peer = context.proxies->client(seen.forwarded_for, context.peer);
  }
  normal_host(seen.host, request.secure, request.host);
  return 0;
}

/// The second opinion: llhttp, all leniency off, must find the same head and the same framing.
bool llhttp_agrees(std::string_view head, const Framing& framing) {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_headers_complete = [](llhttp_t*) { return static_cast<int>(HPE_PAUSED); };
    return settings;
  }();
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &kSettings);
  if (llhttp_execute(&parser, head.data(), head.size()) != HPE_PAUSED) return false;
  if (llhttp_get_error_pos(&parser) != head.data() + head.size()) return false;
  return ((parser.flags & F_CHUNKED) != 0) == framing.chunked &&
         (framing.chunked || ((parser.flags & F_CONTENT_LENGTH) != 0 ? parser.content_length : 0) == framing.length);
}

}  // namespace

int read_head(std::string_view head, const HeadContext& context, Request& request, Framing& framing) {
  framing = {};
  request.headers.clear();
  request.params.clear();
  request.body = {};
  if (head.size() < 4) return 400;

  std::string_view line = head.substr(0, head.find('\r'));
  std::string_view fields = head.substr(std::min(line.size() + 2, head.size()));
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return 400;
  const std::string_view method = line.substr(0, first), target = line.substr(first + 1, last - first - 1),
                         version = line.substr(last + 1);
  if (!is_token(method)) return 400;
  const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' && version[5] >= '0' &&
                      version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
  if (!shaped) return 400;
  if (version[5] != '1' || version[7] > '1') return 505;
  const int minor = version[7] - '0';
  framing.close = minor == 0;
  for (char c : target)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F || c == '#') return 400;
  request.method = known_method(method);
  if (request.method == Method::other) return method == "TRACE" || method == "CONNECT" ? 405 : 501;

  Seen seen;
  const bool trusted = context.proxies && !context.proxies->empty() && context.proxies->contains(context.peer);
  int refused = 0;
  while (fields.size() > 2) {
    const std::size_t end = fields.find('\r');
    if (end == std::string_view::npos || end == 0) return 400;
    const int status = take_field(fields.substr(0, end), trusted, request, framing, seen);
    if (status == 400) return 400;
    if (!refused) refused = status;
    fields.remove_prefix(std::min(end + 2, fields.size()));
  }
  // Framing first: what cannot be framed must not be answered as if it could.
  if (const int status = frame(seen, minor, framing)) return status;
  if (!llhttp_agrees(head, framing)) return 400;
  if (const int status = place(target, minor, context, trusted, seen, request)) return status;
  if (refused) return refused;
  if (request.method == Method::post && !seen.method_override.empty()) {
    std::string upper(seen.method_override);
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    request.method = known_method(upper);
    // HEAD would leave the answer to a POST without its body.
    if (request.method == Method::other || request.method == Method::head) return 501;
  }
  return 0;
}

}  // namespace mandate::http::wire
