// Where providers send people back: code → profile → user → session → on (identity-wire 1.7).
#include "base/url.h"
#include "identity/login/pages.h"
#include "identity/login/steps.h"
#include "identity/provider_tokens.h"
#include "store/single_use.h"
#include "tenant/audit.h"

namespace mandate::identity {
namespace {

Error bad_state() { return Error(Code::invalid_request, "This sign-in has ended or began in another browser. Please go back to the app and start again."); }

Task<http::Response> distrust(const Room& room, const http::Request& request, tenant::Here here, tenant::Event event, Error error) {
  CO_CHECK(co_await tenant::audit(here, std::move(event), request, room.deps.clock));
  room.deps.log.warn("login.refused", {{"reason", error.detail}, {"request", request.id}, {"peer", request.peer}});
  co_return problem(room, request, error);
}

/// Whether the login is for a service that keeps what providers give.
bool keeps_tokens(const UnderWay& way) {
  const auto service = way.here->services.find(way.login.service);
  return !way.login.service.empty() && service != way.here->services.end() && service->second.login.keep_provider_tokens;
}

}  // namespace

Task<http::Response> get_callback(const Room& room, http::Request& request) {
  const http::Params answer = http::Params::of_query(request.query);
  Result<tenant::Here> here = room.deps.tenants.by_host(request.host);
  if (!here.ok()) co_return problem(room, request, here.error());
  const Millis now = room.deps.clock.now_ms();
  tenant::Event event;
  event.type = "login.failed";

  // One use, this browser, this tenant; it alone says which connection the answer is from (SE-2).
  Result<void> once = answer.refuse_repeated({"state", "code", "error", "iss"});
  const std::string state(answer.get("state"));
  const std::string browser = browser_of(request);
  Result<JsonObject> filed = bad_state();
  if (once.ok() && !state.empty() && !browser.empty())
    filed = co_await store::take(*here->store, kUpstreamStateKind, state, browser, now, Code::invalid_request);
  if (!filed.ok() && filed.error().code != Code::invalid_request) co_return problem(room, request, filed.error());
  if (!filed.ok()) {
    event.reason = "bad_state";
    Error refused = bad_state();
    refused.detail = "callback state missing, foreign or used";
    co_return co_await distrust(room, request, *here, std::move(event), std::move(refused));
  }
  const std::string handle(text_member(*filed, "login").value_or(""));
  const std::string connection_name(text_member(*filed, "connection").value_or(""));
  event.connection = connection_name;
  Result<UnderWay> way = co_await under_way(room, request, handle);
  if (!way.ok()) co_return problem(room, request, way.error());
  event.client_id = way->client->client_id;

  const tenant::Connection* connection = nullptr;
  for (const tenant::Connection* usable : way->here->connections_of(*way->client))
    if (usable->name == connection_name) connection = usable;
  const Strategy* strategy = connection ? room.deps.strategies.find(connection->strategy) : nullptr;
  if (!strategy) {
    event.reason = "connection_disabled";
    CO_CHECK(co_await tenant::audit(way->here, std::move(event), request, room.deps.clock));
    co_return co_await fail(room, request, std::move(*way), "access_denied", "The connection is not enabled.", 302);
  }

  Result<Profile> profile = co_await strategy->finish(way->here, *connection, *filed, answer, request);
  if (!profile.ok()) {
    Error error = profile.error();
    event.reason = name(error.code);
    if (error.code == Code::invalid_token || error.code == Code::invalid_request) {
      Error shown(Code::bad_request, "The identity provider's answer could not be accepted. Please go back to the app and start again.", error.detail);
      co_return co_await distrust(room, request, way->here, std::move(event), std::move(shown));
    }
    CO_CHECK(co_await tenant::audit(way->here, std::move(event), request, room.deps.clock));
    if (error.code == Code::access_denied)
      co_return co_await fail(room, request, std::move(*way), "access_denied", error.hint, 302);
    room.upstream_failures.add();
    room.deps.log.warn("login.upstream", {{"connection", connection_name}, {"code", name(error.code)}, {"detail", error.detail}, {"request", request.id}});
    std::string code = "temporarily_unavailable", said = "The identity provider could not be reached or did not answer as expected.";
    if (error.code == Code::server_error) code = "server_error";
    co_return co_await fail(room, request, std::move(*way), std::move(code), std::move(said), 302);
  }

  ProviderTokens tokens = std::move(profile->tokens);
  Result<User> user = co_await room.deps.users.upsert_from_profile(way->here, std::move(*profile));
  if (!user.ok()) co_return problem(room, request, user.error());
  if (!user->blocked && !tokens.empty() && keeps_tokens(*way)) {
    const Result<void> kept =
        co_await keep_provider_tokens(way->here, room.deps.tenants.vault(), user->user_id, connection_name, std::move(tokens), now);
    if (!kept.ok()) co_return problem(room, request, kept.error());
  }
  event.user_id = user->user_id;
  if (user->blocked) {
    event.reason = "blocked";
    CO_CHECK(co_await tenant::audit(way->here, std::move(event), request, room.deps.clock));
    co_return co_await fail(room, request, std::move(*way), "unauthorized", "user is blocked", 302);
  }
  event.type = "login.ok";
  CO_CHECK(co_await tenant::audit(way->here, std::move(event), request, room.deps.clock));
  Result<http::Response> done = co_await complete(room, request, std::move(*way), std::move(*user), connection_name, "fed", 302);
  if (!done.ok()) co_return problem(room, request, done.error());
  co_return done;
}

// A provider's form comes from its own site, so the browser keeps our Lax cookie back; it sends it with the GET that follows.
Task<http::Response> post_callback(const Room& room, http::Request& request) {
  Result<http::Params> form = http::Params::of(request);
  if (!form.ok()) co_return problem(room, request, form.error());
  std::string url = "/login/callback";
  for (const std::string_view field : {"state", "code", "error", "error_description", "iss"}) {
    const std::string_view value = form->get(field);
    if (!value.empty() && value.size() <= 4096) append_query(url, field, value);
  }
  http::Response response = http::Response::redirect(303, url);
  response.no_store();
  co_return response;
}

}  // namespace mandate::identity
