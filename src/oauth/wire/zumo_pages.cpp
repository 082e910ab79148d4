// The pages and frames by which a login's result gets from our window into the app's (mobile-backend-wire 4.5, 4.6).
#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "oauth/wire/zumo_login.h"
#include "tenant/service_cors.h"

namespace mandate::oauth::wire {
namespace {

// Each script is a constant named by its hash in the page's policy; what differs stands beside it as data.

constexpr std::string_view kPost = R"JS((function () {
  var d = JSON.parse(document.getElementById('d').textContent);
  if (window.opener) window.opener.postMessage(JSON.stringify(d.envelope), d.origin);
})();)JS";

// Internet Explorer gives no message from a window to the one that opened it, but lets us call into a frame of our own
// origin there. Nobody tells when that frame is ready.
constexpr std::string_view kIntoFrame = R"JS((function () {
  var d = JSON.parse(document.getElementById('d').textContent);
  var timer = setInterval(function () {
    var receive;
    try { receive = window.opener.frames['zumo-login-receiver'].transferLoginResult; } catch (e) { return; }
    if (!receive) return;
    clearInterval(timer);
    receive(d.envelope);
  }, 100);
})();)JS";

constexpr std::string_view kReceiver = R"JS((function () {
  var d = JSON.parse(document.getElementById('d').textContent);
  window.transferLoginResult = function (envelope) { window.parent.postMessage(JSON.stringify(envelope), d.origin); };
})();)JS";

// Requests for browsers without CORS. Only to doors that ask for keys and tokens: never where a cookie counts.
constexpr std::string_view kBridge = R"JS((function () {
  var d = JSON.parse(document.getElementById('d').textContent), home = location.protocol + '//' + location.host;
  function allowed(url, method) {
    if (/\.\.|%2e|%2f|%5c|\\/i.test(url)) return false;
    if (url.charAt(0) !== '/' && url.indexOf(home + '/') === 0) url = url.substring(home.length);
    if (url.charAt(0) !== '/' || url.charAt(1) === '/') return false;
    return /^\/(tables|api|jobs|push)\//i.test(url) || (method === 'POST' && /^\/(\.auth\/)?login(\/|$)/i.test(url));
  }
  function send(request, done) {
    var headers = request.headers || {}, method = (request.type || 'GET').toUpperCase(), xhr = new XMLHttpRequest(), name;
    var url = String(request.url).replace(/#.*$/, '');
    if (!allowed(url, method)) return done({status: 0, statusText: 'Not allowed', responseText: null});
    xhr.onreadystatechange = function () { if (xhr.readyState === 4) done(xhr); };
    xhr.open(method === 'GET' ? 'GET' : 'POST', url);
    if (method !== 'GET' && method !== 'POST') xhr.setRequestHeader('X-HTTP-Method-Override', method);
    for (name in headers) if (Object.prototype.hasOwnProperty.call(headers, name)) xhr.setRequestHeader(name, headers[name]);
    xhr.send(request.data);
  }
  function receive(e) {
    if (e.origin !== d.origin) return;
    var asked, from = e.source;
    try { asked = JSON.parse(e.data); } catch (x) { return; }
    send(asked.contents || {}, function (r) {
      from.postMessage(JSON.stringify({messageId: asked.messageId,
        contents: {status: r.status, statusText: r.statusText, responseText: r.responseText}}), d.origin);
    });
  }
  if (window.addEventListener) window.addEventListener('message', receive, false); else window.attachEvent('onmessage', receive);
})();)JS";

/// Text of a script element never ends it: '<' is written as an escape (SE-4).
std::string script_json(const JsonObject& object) {
  std::string out;
  for (const char c : to_json(object)) {
    if (c == '<') out += "\\u003c";
    else out += c;
  }
  return out;
}

http::Response page(std::string_view script, const JsonObject& data, std::string_view text, std::string_view ancestors, std::string_view more) {
  std::string body = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>One moment</title></head><body>" + std::string(text) +
                     "<script type=\"application/json\" id=\"d\">" + script_json(data) + "</script><script>" + std::string(script) + "</script></body></html>";
  const std::string policy = "default-src 'none'; script-src 'sha256-" + base64(sha256(script)) + "'; base-uri 'none'; frame-ancestors " +
                             std::string(ancestors) + std::string(more);
  http::Response response = http::Response::html(200, std::move(body), policy);
  response.no_store();
  return response;
}

/// A frame for the page of one origin, which must be on the list.
Task<http::Response> frame(const Deps& deps, const http::Request& request, std::string_view parameter, std::string_view script, std::string_view more) {
  const Result<Entrance> at = entrance(deps, request);
  if (!at.ok()) co_return login_error(at.error());
  const http::Params params = http::Params::of_query(request.query);
  const std::string origin(params.get(parameter));
  if (!params.refuse_repeated({"origin", "completion_origin"}).ok() || !completion_origin_good(*at->service, origin))
    co_return login_error(401, "Not a whitelisted origin.");
  co_return page(script, JsonObject{{"origin", origin}}, "", origin, more);
}

}  // namespace

bool completion_origin_good(const tenant::Service& service, std::string_view origin) {
  const std::optional<Url> url = parse_url(origin);
  if (!url || (url->scheme != "http" && url->scheme != "https") || url->host.empty() || url->host.find('*') != std::string::npos) return false;
  return url->origin() == origin && tenant::origin_allowed(service, origin);
}

http::Response completion_page(const Start& start, const JsonObject* oauth, std::string_view error) {
  JsonObject envelope{{"type", "LoginCompleted"}};
  if (oauth) envelope["oauth"] = *oauth;
  else envelope["error"] = error;
  const JsonObject data{{"origin", start.completion_origin}, {"envelope", std::move(envelope)}};
  const std::string_view text = oauth ? "<p>You are signed in. This window may be closed.</p>" : "<p>That did not work. This window may be closed.</p>";
  return page(start.completion_type == "iframe" ? kIntoFrame : kPost, data, text, "'none'", "");
}

Task<http::Response> login_receiver(const Deps& deps, http::Request& request) {
  Result<http::Response> answer = co_await frame(deps, request, "completion_origin", kReceiver, "");
  co_return answer;
}

Task<http::Response> crossdomain_bridge(const Deps& deps, http::Request& request) {
  Result<http::Response> answer = co_await frame(deps, request, "origin", kBridge, "; connect-src 'self'");
  co_return answer;
}

}  // namespace mandate::oauth::wire
