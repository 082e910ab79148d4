#include "oauth/authorize/consent_page.h"

#include "base/url.h"
#include "identity/users.h"

namespace mandate::oauth {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark}body{font:1rem/1.5 "
    "system-ui,sans-serif;display:grid;place-items:center;min-height:100vh;margin:0}"
    "main{max-width:24rem;padding:2rem}h1{font-size:1.25rem}button{font:inherit;padding:.6rem "
    "1.2rem;margin-right:.5rem;"
    "border-radius:.4rem;border:1px "
    "solid;cursor:pointer}button[value=yes]{background:#0b57d0;color:#fff;border-color:#0b57d0}";

std::string_view meaning(std::string_view scope) {
  if (scope == "openid") return "know who you are";
  if (scope == "profile") return "read your name and picture";
  if (scope == "email") return "read your e-mail address";
  if (scope == "phone") return "read your phone number";
  if (scope == "address") return "read your address";
  if (scope == "offline_access") return "stay connected when you are away";
  return scope;
}

}  // namespace

http::Response consent_page(const Asked& asked, const identity::User& user, std::string_view csrf) {
  const std::string client =
      html_escape(asked.client->name.empty() ? asked.client->client_id : asked.client->name);
  std::string page =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">"
      "<title>Allow access</title><style>" +
      std::string(kStyle) + "</style></head><body><main><h1>" + client + " asks for access</h1><p>You are " +
      html_escape(user.name.empty() ? user.user_id : user.name) + ". " + client + " wants to";
  if (asked.api)
    page += ", at " + html_escape(asked.api->name.empty() ? asked.api->identifier : asked.api->name);
  page += ":</p><ul>";
  for (const std::string& scope : asked.scopes) page += "<li>" + html_escape(meaning(scope)) + "</li>";
  page +=
      "</ul><form method=\"post\" action=\"/authorize/consent\"><input type=\"hidden\" name=\"state\" "
      "value=\"" +
      html_escape(asked.request.handle) + "\"><input type=\"hidden\" name=\"csrf\" value=\"" +
      html_escape(csrf) +
      "\"><button name=\"allow\" value=\"yes\">Allow</button><button name=\"allow\" "
      "value=\"no\">Refuse</button></form></main></body></html>";
  http::Response response = http::Response::html(200, std::move(page));
  response.no_store();
  return response;
}

}  // namespace mandate::oauth
