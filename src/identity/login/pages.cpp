#include "identity/login/pages.h"

#include <kainjow/mustache.hpp>

#include "base/base64.h"
#include "base/crypto.h"

namespace mandate::identity {
namespace {

namespace mustache = kainjow::mustache;

// {{x}} escapes for text and quoted attributes; the only unescaped value is our own style sheet.
constexpr std::string_view kHead = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>{{title}}</title>
<style>{{{style}}}</style>
</head>
<body>
<main>
)html";

constexpr std::string_view kFoot = "</main>\n</body>\n</html>\n";

constexpr std::string_view kDirectories = R"html({{#one_directory}}<input type="hidden" name="connection" value="{{name}}">
{{/one_directory}}{{#many_directories}}<div><label for="connection">Account</label>
<select id="connection" name="connection">{{#directories}}<option value="{{name}}"{{#chosen}} selected{{/chosen}}>{{label}}</option>{{/directories}}</select></div>
{{/many_directories}})html";

constexpr std::string_view kLogin = R"html(<h1>Sign in</h1>
<p class="to">to continue to <strong>{{app}}</strong></p>
{{#error}}<p class="bad" role="alert" id="error">{{error}}</p>
{{/error}}{{#has_ways}}<ul class="ways">
{{#ways}}<li><a class="way" href="{{href}}"><span aria-hidden="true">{{initial}}</span><span>Continue with {{label}}</span></a></li>
{{/ways}}</ul>
{{/has_ways}}{{#or}}<p class="or">or</p>
{{/or}}{{#form}}<form method="post" action="/login">
<input type="hidden" name="state" value="{{handle}}">
<input type="hidden" name="csrf" value="{{csrf}}">
{{>directories}}<div><label for="username">E-mail or user name</label>
<input id="username" name="username" type="text" value="{{username}}" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" required{{#focus_username}} autofocus{{/focus_username}}{{#error}} aria-describedby="error"{{/error}}></div>
<div><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{{#focus_password}} autofocus{{/focus_password}}{{#error}} aria-describedby="error"{{/error}}></div>
<button type="submit">Sign in</button>
</form>
{{/form}}{{#other_page}}<p class="foot">No account yet? <a href="{{other_page}}">Create one</a></p>
{{/other_page}})html";

constexpr std::string_view kSignUp = R"html(<h1>Create an account</h1>
<p class="to">to continue to <strong>{{app}}</strong></p>
{{#error}}<p class="bad" role="alert" id="error">{{error}}</p>
{{/error}}<form method="post" action="/login/signup">
<input type="hidden" name="state" value="{{handle}}">
<input type="hidden" name="csrf" value="{{csrf}}">
{{>directories}}<div><label for="email">E-mail</label>
<input id="email" name="email" type="email" value="{{email}}" autocomplete="email" maxlength="254" required autofocus{{#error}} aria-describedby="error"{{/error}}></div>
{{#asks_username}}<div><label for="username">User name</label>
<input id="username" name="username" type="text" value="{{username}}" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="128" required></div>
{{/asks_username}}<div><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required aria-describedby="rule">
<p class="hint" id="rule">At least 8 characters. A few words that only you would put together are best.</p></div>
<button type="submit">Create account</button>
</form>
{{#other_page}}<p class="foot">Already have an account? <a href="{{other_page}}">Sign in</a></p>
{{/other_page}})html";

constexpr std::string_view kProblem = R"html(<h1>{{title}}</h1>
<p class="note">{{text}}</p>
{{#request_id}}<p class="id">Request {{request_id}}</p>
{{/request_id}})html";

// No form-action: browsers apply it to every redirect after the form, and the last of them leads to the app.
const std::string& policy() {
  static const std::string text = "default-src 'none'; style-src 'sha256-" + base64(sha256(kStyle)) +
                                  "'; img-src data:; base-uri 'none'; frame-ancestors 'none'";
  return text;
}

http::Response render(int status, std::string_view body, mustache::data data) {
  data.set("style", std::string(kStyle));
  mustache::mustache page(std::string(kHead) + std::string(body) + std::string(kFoot));
  http::Response response = http::Response::html(status, page.render(data), policy());
  response.headers.set("X-Frame-Options", "DENY");
  response.no_store();
  return response;
}

// The first character, whole: a name may begin with any letter.
std::string initial(std::string_view label) {
  std::size_t end = label.empty() ? 0 : 1;
  while (end < label.size() && (label[end] & 0xC0) == 0x80) ++end;
  return std::string(label.substr(0, end));
}

void set_text(mustache::data& data, const std::string& name, const std::string& value) {
  // An absent value is a false section; an empty text would be a true one.
  if (!value.empty()) data.set(name, value);
}

mustache::data data_of(const LoginPage& page) {
  mustache::data data;
  set_text(data, "app", page.app);
  set_text(data, "handle", page.handle);
  set_text(data, "csrf", page.csrf);
  set_text(data, "username", page.username);
  set_text(data, "email", page.email);
  set_text(data, "error", page.error);
  set_text(data, "other_page", page.other_page);
  data.set("asks_username", page.asks_username);
  mustache::data ways{mustache::data::type::list};
  for (const Way& way : page.ways) {
    mustache::data one;
    one.set("label", way.label);
    one.set("href", way.href);
    one.set("initial", initial(way.label));
    ways.push_back(one);
  }
  data.set("has_ways", !page.ways.empty());
  data.set("ways", ways);
  data.set("form", !page.directories.empty());
  data.set("or", !page.ways.empty() && !page.directories.empty());
  // A phone's keyboard would hide the buttons; with a name typed before, the password is what is missing.
  data.set("focus_username", page.ways.empty() && page.username.empty());
  data.set("focus_password", !page.username.empty());
  data.set("many_directories", page.directories.size() > 1);
  mustache::data directories{mustache::data::type::list};
  for (const Directory& directory : page.directories) {
    mustache::data one;
    one.set("name", directory.name);
    one.set("label", directory.label);
    one.set("chosen", directory.name == page.directory);
    directories.push_back(one);
  }
  if (page.directories.size() == 1) data.set("one_directory", directories);
  data.set("directories", directories);
  return data;
}

std::string with_directories(std::string_view body) {
  std::string text(body);
  constexpr std::string_view kPlace = "{{>directories}}";
  if (const std::size_t at = text.find(kPlace); at != std::string::npos) text.replace(at, kPlace.size(), kDirectories);
  return text;
}

}  // namespace

http::Response login_page(int status, const LoginPage& page) {
  mustache::data data = data_of(page);
  data.set("title", "Sign in – " + page.app);
  return render(status, with_directories(kLogin), std::move(data));
}

http::Response sign_up_page(int status, const LoginPage& page) {
  mustache::data data = data_of(page);
  data.set("title", "Create an account – " + page.app);
  return render(status, with_directories(kSignUp), std::move(data));
}

http::Response problem_page(int status, std::string_view title, std::string_view text, std::string_view request_id) {
  mustache::data data;
  set_text(data, "title", std::string(title));
  set_text(data, "text", std::string(text));
  set_text(data, "request_id", std::string(request_id));
  return render(status, kProblem, std::move(data));
}

http::Response blank_page() {
  http::Response response = http::Response::html(
      200, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title>Done</title></head><body></body></html>\n", policy());
  response.headers.set("X-Frame-Options", "DENY");
  response.no_store();
  return response;
}

std::string provider_label(std::string_view display_name, std::string_view strategy, std::string_view name) {
  if (!display_name.empty()) return std::string(display_name);
  static constexpr std::pair<std::string_view, std::string_view> kSpellings[] = {
      {"github", "GitHub"}, {"google-oauth2", "Google"}, {"facebook", "Facebook"}, {"twitter", "X"}, {"windowslive", "Microsoft"},
      {"apple", "Apple"},   {"linkedin", "LinkedIn"},    {"bitbucket", "Bitbucket"}};
  if (name == strategy)
    for (const auto& [word, spelling] : kSpellings)
      if (word == strategy) return std::string(spelling);
  return std::string(name);
}

}  // namespace mandate::identity
