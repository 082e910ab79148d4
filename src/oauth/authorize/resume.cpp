// The second half of a login under way: the stored request is read again under today's configuration, and
// decided.
#include "identity/login/auth_request.h"
#include "oauth/authorize/answer.h"
#include "oauth/authorize/asked.h"
#include "oauth/authorize/authorize.h"
#include "oauth/authorize/consent_page.h"
#include "oauth/authorize/consents.h"
#include "oauth/authorize/decide.h"
#include "oauth/authorize/respond.h"
#include "oauth/wire/zumo_login.h"

namespace mandate::oauth {
namespace {

Error expired() {
  return Error(Code::invalid_request,
               "This login has ended or belongs to another browser. Please start again in the app.",
               "login state");
}

/// An error word that a login step wrote down.
Error error_of(const identity::AuthRequest& request) {
  static constexpr std::pair<std::string_view, Code> kWords[] = {
      {"access_denied", Code::access_denied},     {"unauthorized", Code::unauthorized},
      {"login_required", Code::login_required},   {"consent_required", Code::consent_required},
      {"invalid_request", Code::invalid_request}, {"interaction_required", Code::interaction_required},
      {"server_error", Code::server_error},       {"temporarily_unavailable", Code::temporarily_unavailable},
  };
  for (const auto& [word, code] : kWords)
    if (word == request.error) return Error(code, request.error_description, "login step");
  return Error(Code::access_denied, request.error_description, "login step: " + request.error);
}

/// A login of a mobile service: no client of ours asked, and no redirect URI is waiting.
bool of_service(const Asked& asked) { return asked.request.protocol == wire::kServiceProtocol; }

Task<Asked> load(const Deps& deps, const http::Request& request, std::string handle) {
  Asked asked;
  CO_TRY(asked.here, deps.tenants.by_host(request.host));
  asked.issuer = tenant::issuer_of(*asked.here, request);
  asked.fresh = false;
  if (handle.empty()) co_return expired();
  CO_TRY(std::optional<identity::AuthRequest> login,
         co_await identity::find_login(asked.here, request, std::move(handle), deps.clock.now_ms()));
  if (!login) co_return expired();
  asked.request = std::move(*login);
  if (of_service(asked)) co_return asked;  // its own end checks what there is to check
  CO_CHECK(check_where(asked));
  co_return asked;
}

/// Used up, then sent: a second resume finds nothing.
Task<http::Response> finish(const Deps& deps, const http::Request& request, const Asked& asked,
                            const Present& present, std::optional<Error> error) {
  std::string handle = asked.request.handle;
  const auto taken =
      co_await identity::take_login(asked.here, request, std::move(handle), deps.clock.now_ms());
  if (!taken.ok()) co_return error_page(taken.error());
  if (error) co_return error_answer(asked, *error, 302);
  Result<http::Response> answered =
      co_await respond(deps, request, asked, *present.user, *present.session, 302);
  co_return answered;
}

}  // namespace

Task<http::Response> resume(const Deps& deps, http::Request& request) {
  const http::Params params = http::Params::of_query(request.query);
  std::string handle(params.get("state"));
  Result<Asked> loaded = co_await load(deps, request, std::move(handle));
  if (!loaded.ok()) co_return error_page(loaded.error());
  Asked& asked = *loaded;
  if (of_service(asked)) {
    Result<http::Response> ended = co_await wire::finish_service_login(deps, request, asked.here, asked.request);
    co_return ended;
  }
  const Present nobody;
  std::optional<Error> error;
  if (!asked.request.error.empty()) error = error_of(asked.request);
  if (const Result<void> what = check_what(asked); !what.ok() && !error) error = what.error();
  if (error) {
    Result<http::Response> refused = co_await finish(deps, request, asked, nobody, std::move(error));
    co_return refused;
  }

  const Result<Present> present = co_await who_is_there(deps, request, asked.here);
  if (!present.ok()) co_return error_answer(asked, present.error(), 302);
  if (another_logged_in(asked, *present)) {
    std::optional<Error> another =
        Error(Code::login_required, "Another person logged in than the one asked for.", "id_token_hint");
    Result<http::Response> refused = co_await finish(deps, request, asked, nobody, std::move(another));
    co_return refused;
  }
  bool consent_missing = false;
  if (present->user) {
    std::string user_id = present->user->user_id;
    const auto given = co_await consented(asked, std::move(user_id));
    if (!given.ok()) co_return error_answer(asked, given.error(), 302);
    consent_missing = needs_consent(asked, *given);
  }
  switch (what_is_missing(asked, *present, consent_missing, deps.clock.now_ms())) {
    case Missing::login: {
      http::Response response = http::Response::redirect(302, identity::login_url(asked.request));
      response.no_store();
      co_return response;
    }
    case Missing::consent:
      co_return consent_page(asked, *present->user, identity::csrf_token(request, asked.request.handle));
    case Missing::nothing:
      break;
  }
  Result<http::Response> answered = co_await finish(deps, request, asked, *present, std::nullopt);
  co_return answered;
}

Task<http::Response> consent(const Deps& deps, http::Request& request) {
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) co_return error_page(params.error(), http_status(params.error().code));
  std::string handle(params->get("state"));
  if (!identity::csrf_good(request, handle, params->get("csrf")))
    co_return error_page(
        Error(Code::forbidden, "This form did not come from our page. Please start again in the app.",
              "csrf"),
        403);
  Result<Asked> loaded = co_await load(deps, request, std::move(handle));
  if (!loaded.ok()) co_return error_page(loaded.error());
  Asked& asked = *loaded;
  if (of_service(asked)) co_return error_page(expired());  // nobody asks for consent there
  if (const Result<void> what = check_what(asked); !what.ok()) co_return error_page(what.error());
  const Result<Present> present = co_await who_is_there(deps, request, asked.here);
  if (!present.ok()) co_return present.error();
  if (!present->user) co_return error_page(expired());
  // The login page's form has the same token: a yes sent from there must not stand for the login it skips.
  if (what_is_missing(asked, *present, true, deps.clock.now_ms()) == Missing::login) {
    http::Response response = http::Response::redirect(303, identity::login_url(asked.request));
    response.no_store();
    co_return response;
  }

  identity::AuthRequest login = asked.request;
  if (params->get("allow") == "yes") {
    std::string user_id = present->user->user_id;
    CO_CHECK(co_await record_consent(asked, std::move(user_id), deps.clock.now_ms()));
    login.prompt.clear();  // asked and answered
    login.user_id = present->user->user_id;
    login.authenticated_at = present->session->auth_time;
  } else {
    login.error = "access_denied";
    login.error_description = "User did not authorize the request";
  }
  std::string same_browser;
  CO_TRY(const identity::AuthRequest updated,
         co_await identity::update_login(asked.here, std::move(login), std::move(same_browser),
                                         deps.clock.now_ms()));
  http::Response response = http::Response::redirect(303, identity::resume_url(updated));
  response.no_store();
  co_return response;
}

}  // namespace mandate::oauth
