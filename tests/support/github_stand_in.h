// GitHub's OAuth web flow and the two profile calls, as its documentation describes them: errors of the token endpoint
// come as 200, answers are form-encoded unless JSON is asked for, scopes are joined with commas, addresses need a scope.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "http/params.h"
#include "http/router.h"

namespace mandate::test {

struct GitHubStandIn {
  struct Person {
    std::int64_t id = 583231;
    std::string login = "octo-ann", name = "Ann Example", avatar_url = "https://avatars.example/u/583231";
    std::string emails = R"([{"email":"ann@example.org","primary":true,"verified":true,"visibility":"private"}])";
    std::string raw_user;  ///< replaces the whole /user answer when not empty
  };
  std::string client_id = "Iv1.0123456789abcdef", client_secret = "6f1c2d3e4b5a69788796a5b4c3d2e1f00f1e2d3c";
  std::string registered_callback;  ///< empty = any
  Person person;
  bool person_denies = false;
  bool grants_email_scope = true;
  std::string iss;                  ///< added to the callback when not empty
  int exchanges = 0;

  /// A token that an app got by itself: good for /user, and of another app when `stranger`.
  std::string token_for_app(bool stranger = false) {
    const std::string token = "gho_" + fresh("app token").substr(0, 36);
    tokens_[token] = "read:user,user:email";
    if (stranger) strangers_.insert(token);
    return token;
  }

  void mount(http::Routes& routes) {
    routes.get("/login/oauth/authorize", [this](http::Request& request) { return ready(authorize(request)); });
    routes.post("/login/oauth/access_token", [this](http::Request& request) { return ready(access_token(request)); });
    routes.get("/user", [this](http::Request& request) { return ready(user(request)); });
    routes.post("/applications/" + client_id + "/token", [this](http::Request& request) { return ready(check_token(request)); });
    routes.get("/user/emails", [this](http::Request& request) { return ready(emails(request)); });
  }

 private:
  struct Granted {
    std::string redirect_uri, challenge, scope;
  };
  std::map<std::string, Granted> codes_;
  std::map<std::string, std::string> tokens_;  // token → scope
  std::set<std::string> strangers_;            // tokens of other apps
  int serial_ = 0;

  std::string fresh(std::string_view what) { return to_hex(sha256(std::string(what) + std::to_string(++serial_))).substr(0, 40); }

  http::Response authorize(const http::Request& request) {
    const auto params = http::Params::of_query(request.query);
    if (params.get("client_id") != client_id) return http::Response::html(404, "Not Found");
    std::string to(params.get("redirect_uri"));
    if (to.empty()) to = registered_callback;
    const auto back = [&](std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
      for (const auto& [name, value] : fields) append_query(to, name, value);
      if (params.has("state")) append_query(to, "state", params.get("state"));
      if (!iss.empty()) append_query(to, "iss", iss);
      return http::Response::redirect(302, to);
    };
    if (!registered_callback.empty() && to != registered_callback) {
      to = registered_callback;
      return back({{"error", "redirect_uri_mismatch"}, {"error_description", "The redirect_uri MUST match the registered callback URL for this application."}});
    }
    if (person_denies)
      return back({{"error", "access_denied"}, {"error_description", "The user has denied your application access."}});
    if (params.has("code_challenge") && params.get("code_challenge_method") != "S256")
      return back({{"error", "invalid_request"}, {"error_description", "code_challenge_method must be S256"}});
    const std::string code = fresh("code").substr(0, 20);
    std::string scope;
    for (const auto& one : split(params.get("scope"), ' '))
      if (grants_email_scope || one != "user:email") scope += (scope.empty() ? "" : ",") + one;
    codes_[code] = {to, std::string(params.get("code_challenge")), scope};
    return back({{"code", code}});
  }

  http::Response token_answer(const http::Request& request, const std::vector<std::pair<std::string, std::string>>& fields) {
    if (request.headers.get("accept").find("json") != std::string_view::npos) {
      JsonObject body;
      for (const auto& [name, value] : fields) body[name] = value;
      return http::Response::json(200, Json(std::move(body)));
    }
    http::Response response(200);
    response.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    for (const auto& [name, value] : fields) {
      if (!response.body.empty()) response.body += '&';
      response.body += name + "=" + percent_encode(value);
    }
    return response;
  }

  http::Response access_token(const http::Request& request) {
    ++exchanges;
    const auto params = http::Params::of(request);
    if (!params.ok()) return http::Response::json(404, std::string(R"({"error":"Not Found"})"));
    if (params->get("client_id") != client_id) return http::Response::json(404, std::string(R"({"error":"Not Found"})"));
    if (params->get("client_secret") != client_secret)
      return token_answer(request, {{"error", "incorrect_client_credentials"}, {"error_description", "The client_id and/or client_secret passed are incorrect."}});
    const auto bad_code = [&] {
      return token_answer(request, {{"error", "bad_verification_code"}, {"error_description", "The code passed is incorrect or expired."}});
    };
    const auto at = codes_.find(std::string(params->get("code")));
    if (at == codes_.end()) return bad_code();
    const Granted granted = at->second;
    codes_.erase(at);
    if (params->has("redirect_uri") && params->get("redirect_uri") != granted.redirect_uri)
      return token_answer(request, {{"error", "redirect_uri_mismatch"}, {"error_description", "The redirect_uri MUST match the registered callback URL for this application."}});
    if (!granted.challenge.empty() && base64url(sha256(params->get("code_verifier"))) != granted.challenge) return bad_code();
    const std::string token = "gho_" + fresh("token").substr(0, 36);
    tokens_[token] = granted.scope;
    return token_answer(request, {{"access_token", token}, {"token_type", "bearer"}, {"scope", granted.scope}});
  }

  /// Whether the token is one of the app that asks: for that app alone to know.
  http::Response check_token(const http::Request& request) {
    if (request.headers.get("authorization") != "Basic " + base64(client_id + ":" + client_secret)) return http::Response::json(401, std::string(R"({"message":"Bad credentials"})"));
    const Result<Json> body = parse_json(request.body);
    const std::string token(body.ok() && body->is_object() ? text_member(body->as_object(), "access_token").value_or("") : "");
    if (!tokens_.contains(token) || strangers_.contains(token)) return http::Response::json(404, std::string(R"({"message":"Not Found"})"));
    return http::Response::json(200, Json(JsonObject{{"token", token}, {"app", JsonObject{{"client_id", client_id}}}}));
  }

  // Empty when there is no good token; then `refusal` is the answer.
  const std::string* scope_of(const http::Request& request, http::Response& refusal) {
    if (request.headers.get("user-agent").empty()) {
      refusal = http::Response::text(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.");
      return nullptr;
    }
    std::string_view given = request.headers.get("authorization");
    for (const std::string_view scheme : {"Bearer ", "bearer ", "token "})
      if (given.starts_with(scheme)) {
        given.remove_prefix(scheme.size());
        break;
      }
    const auto at = tokens_.find(std::string(given));
    if (at != tokens_.end()) return &at->second;
    refusal = http::Response::json(401, std::string(R"({"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"})"));
    return nullptr;
  }

  http::Response user(const http::Request& request) {
    http::Response refusal;
    if (!scope_of(request, refusal)) return refusal;
    if (!person.raw_user.empty()) return http::Response::json(200, person.raw_user);
    JsonObject body;
    body["login"] = person.login;
    body["id"] = person.id;
    body["node_id"] = "MDQ6VXNlcjU4MzIzMQ==";
    body["avatar_url"] = person.avatar_url;
    body["gravatar_id"] = "";
    body["html_url"] = "https://github.example/" + person.login;
    body["type"] = "User";
    body["site_admin"] = false;
    body["name"] = person.name.empty() ? Json() : Json(person.name);
    body["company"] = "@example";
    body["blog"] = "https://ann.example";
    body["location"] = Json();
    body["email"] = Json();
    body["bio"] = Json();
    body["created_at"] = "2011-01-25T18:44:36Z";
    body["updated_at"] = "2024-05-22T09:01:02Z";
    return http::Response::json(200, Json(std::move(body)));
  }

  http::Response emails(const http::Request& request) {
    http::Response refusal;
    const std::string* scope = scope_of(request, refusal);
    if (!scope) return refusal;
    const auto scopes = split(*scope, ',');
    if (std::find(scopes.begin(), scopes.end(), "user:email") == scopes.end())
      return http::Response::json(404, std::string(R"({"message":"Not Found","documentation_url":"https://docs.github.com/rest/users/emails","status":"404"})"));
    return http::Response::json(200, person.emails);
  }
};

}  // namespace mandate::test
