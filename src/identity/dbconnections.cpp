#include "identity/dbconnections.h"

#include "identity/connections/database.h"
#include "identity/error_body.h"
#include "identity/password_policy.h"
#include "tenant/cors.h"

namespace mandate::identity {
namespace {

constexpr int kPerMinute = 50;  // of one address
constexpr std::size_t kMetadataMembers = 10, kMetadataText = 500;

http::Response bad_request(std::string_view description) { return database_error(400, "BadRequestError", "bad.request", description); }

http::Response too_many(const tenant::RateLimiter::Answer& rate) {
  JsonObject body;
  body["message"] = "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.";
  body["error"] = "too_many_requests";
  body["error_description"] = "Too many requests.";
  http::Response response = http::Response::json(429, Json(std::move(body)));
  response.no_store();
  tenant::add_rate_headers(response, rate);
  return response;
}

// Members by which a stranger would make himself somebody (AC-8).
bool asks_for_privilege(const http::Params& params) {
  for (const std::string_view name : {"app_metadata", "email_verified", "phone_verified", "roles", "blocked", "user_id", "identities", "password_hash"}) {
    if (params.everything().contains(name)) return true;
    if (params.json() && params.json()->contains(name)) return true;
  }
  return false;
}

// Texts only, few and short; from a JSON body, or as JSON text in a form.
Result<JsonObject> metadata_of(const http::Params& params) {
  const Error refused(Code::invalid_request, "user_metadata must be an object of at most 10 texts of at most 500 characters");
  JsonObject metadata;
  if (params.json()) {
    const Json* value = params.json()->if_contains("user_metadata");
    if (!value || value->is_null()) return metadata;
    if (!value->is_object()) return refused;
    metadata = value->as_object();
  } else if (params.has("user_metadata")) {
    Result<Json> value = parse_json(params.get("user_metadata"));
    if (!value.ok() || !value->is_object()) return refused;
    metadata = std::move(value->as_object());
  }
  if (metadata.size() > kMetadataMembers) return refused;
  for (const auto& [name, value] : metadata)
    if (!value.is_string() || value.as_string().size() > kMetadataText || name.size() > 100) return refused;
  return metadata;
}

http::Response signed_up(const User& user, bool with_metadata) {
  JsonObject body;
  body["_id"] = user.user_id.substr(user.user_id.rfind('|') + 1);
  body["email_verified"] = user.email_verified;
  if (!user.email.empty()) body["email"] = user.email;
  if (!user.username.empty()) body["username"] = user.username;
  if (with_metadata) body["user_metadata"] = user.user_metadata;
  http::Response response = http::Response::json(200, Json(std::move(body)));
  response.no_store();
  return response;
}

Task<http::Response> sign_up(const Deps& deps, const tenant::Here& here, const tenant::Client& client, const http::Params& params,
                             const http::Request& request) {
  if (asks_for_privilege(params)) co_return bad_request("The request has members that sign-up does not take.");
  Result<void> repeated = params.refuse_repeated({"connection", "email", "username", "password", "name", "nickname", "picture", "given_name", "family_name"});
  if (!repeated.ok()) co_return bad_request(repeated.error().hint);
  // What is in a URL ends up in the logs of whoever is in between.
  if (http::Params::of_query(request.query).has("password")) co_return bad_request("password must not be in the query");
  if (!params.has("connection")) co_return bad_request("connection is required");
  const tenant::Connection* connection = nullptr;
  for (const tenant::Connection* usable : here->connections_of(client))
    if (usable->name == params.get("connection") && is_database(*usable)) connection = usable;
  if (!connection) {
    const Error unknown(Code::invalid_connection, "The connection was not found.");
    co_return database_error(unknown);
  }
  if (!params.has("password")) co_return bad_request("password is required");
  if (!params.has("email") && !params.has("username")) co_return bad_request("email is required");

  Passwords::SignUp fields;
  fields.email = params.get("email");
  fields.username = params.get("username");
  fields.password = Secret(std::string(params.get("password")));
  const std::pair<std::string_view, std::string*> texts[] = {{"name", &fields.name},
                                                             {"nickname", &fields.nickname},
                                                             {"picture", &fields.picture},
                                                             {"given_name", &fields.given_name},
                                                             {"family_name", &fields.family_name}};
  for (const auto& [name, field] : texts) {
    *field = params.get(name);
    if (field->size() > (name == "picture" ? 2048 : 300)) co_return bad_request(std::string(name) + " is too long");
  }
  Result<JsonObject> metadata = metadata_of(params);
  if (!metadata.ok()) co_return bad_request(metadata.error().hint);
  const bool with_metadata = !metadata->empty();
  fields.user_metadata = std::move(*metadata);

  const std::vector<std::string> about{fields.email, fields.username, fields.name, fields.nickname, fields.given_name, fields.family_name};
  if (const auto fault = password_fault(fields.password.reveal(), about)) co_return password_fault_response(*fault);
  Result<User> user = co_await deps.passwords.sign_up(here, *connection, std::move(fields), request);
  if (user.ok()) co_return signed_up(*user, with_metadata);
  if (user.error().code == Code::invalid_request) co_return bad_request(user.error().hint);
  if (http_status(user.error().code) >= 500)
    deps.log.error("signup.failure", {{"code", name(user.error().code)}, {"detail", user.error().detail}, {"request", request.id}});
  co_return database_error(user.error());
}

}  // namespace

Task<http::Response> post_signup(const Deps& deps, http::Request& request) {
  CO_TRY(tenant::Here here, deps.tenants.by_host(request.host));
  if (request.method == http::Method::options) co_return tenant::preflight(request, *here);
  const tenant::RateLimiter::Answer rate = deps.limiter.take("dbconnections", request.peer, kPerMinute);
  const tenant::Client* client = nullptr;
  http::Response response;
  Result<http::Params> params = http::Params::of(request);
  if (params.ok()) {
    client = here->client(params->get("client_id"));
    if (client && !client->enabled) client = nullptr;
  }
  if (!rate.allowed) {
    response = too_many(rate);
  } else if (!params.ok()) {
    response = database_error(params.error());
  } else if (!client) {
    response = bad_request(params->has("client_id") ? "client_id is unknown" : "client_id is required");
  } else if (tenant::foreign_origin(request, *client)) {
    const Error foreign(Code::forbidden, "The origin is not allowed.");
    response = database_error(foreign, "ForbiddenError");
  } else {
    CO_TRY(response, co_await sign_up(deps, here, *client, *params, request));
  }
  if (rate.allowed) tenant::add_rate_headers(response, rate);
  tenant::add_cors(response, request, *here, client);
  co_return response;
}

Task<http::Response> get_ssodata(const Deps& deps, http::Request& request) {
  CO_TRY(tenant::Here here, deps.tenants.by_host(request.host));
  const http::Params params = http::Params::of_query(request.query);
  CO_TRY(std::optional<Session> session, co_await deps.sessions.current(here, request));
  JsonObject body;
  body["sso"] = session.has_value();
  if (session) {
    CO_TRY(std::optional<User> user, co_await deps.users.find(here, session->user_id));
    const tenant::Connection* connection = here->connection(session->connection);
    body["lastUsedConnection"] = JsonObject{{"name", session->connection}, {"strategy", connection ? connection->strategy : ""}};
    body["lastUsedUserID"] = session->user_id;
    if (user) body["lastUsedUsername"] = !user->email.empty() ? user->email : !user->username.empty() ? user->username : user->nickname;
    JsonArray clients;
    for (const std::string& client : session->clients) clients.push_back(boost::json::string(client));
    if (!session->clients.empty()) body["lastUsedClientID"] = session->clients.back();
    body["sessionClients"] = std::move(clients);
  }
  http::Response response = http::Response::json(200, Json(std::move(body)));
  response.no_store();
  const tenant::Client* client = params.has("client_id") ? here->client(params.get("client_id")) : nullptr;
  tenant::add_cors(response, request, *here, client, true);
  co_return response;
}

}  // namespace mandate::identity
