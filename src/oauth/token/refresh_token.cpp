// grant_type=refresh_token. RFC 6749 §6, OAuth 2.1 §4.3, TK-12.
//
// Three ways lead to the same answer. What this process remembers of the grant needs no read: one transaction uses the token
// up and asks whether everything still holds. What the token's row carries needs one read before that. Where either does not
// go through, nothing was done, and everything is read and judged in its order; only this last way refuses anybody.
#include "oauth/grant_memory.h"
#include "oauth/locked.h"
#include "oauth/token/grants.h"
#include "oauth/token/refresh_checks.h"

namespace mandate::oauth {
namespace {

/// A refresh under way. Borrowed by the grant's own tasks, which end before it does.
struct Asked {
  const TokenRequest& request;
  std::string text, print;
  Millis now;

  const tenant::Here& here() const { return request.here; }
  const tenant::Client& client() const { return *request.client.client; }
};

/// What a try in one transaction came to.
struct Tried {
  std::optional<Json> answer;
  bool refused = false;  ///< by the transaction; else the try was not made
};

Error same_moment() { return Error(Code::invalid_grant, "Unknown or invalid refresh token.", "used at the same moment"); }

Counter& way(Metrics& metrics, std::string_view name) {
  return metrics.counter("mandate_oauth_refreshes_total", "Refreshes answered, by what had to be read", {{"way", std::string(name)}});
}

class RefreshTokenGrant final : public Grant {
 public:
  explicit RefreshTokenGrant(const Deps& deps)
      : deps_(deps), memory_(*deps_.grants), remembered_(way(deps.metrics, "remembered")), carried_(way(deps.metrics, "carried")),
        read_(way(deps.metrics, "read")) {}
  std::string_view type() const override { return tenant::grant::kRefreshToken; }

  Task<Json> grant(const TokenRequest& request) override {
    const Asked asked{request, std::string(request.params.get("refresh_token")), refresh_fingerprint(request), deps_.clock.now_ms()};
    if (asked.text.empty())
      co_return Error(Code::invalid_request, "Missing required parameter: refresh_token", "refresh_token");
    const GrantMemory::EntryPtr entry = memory_.find(asked.here()->name, asked.text);
    if (entry) {
      CO_TRY(Tried tried, co_await at_once(asked, entry->grant));
      if (tried.answer) {
        remembered_.add();
        co_return std::move(*tried.answer);
      }
      if (tried.refused && entry->spent) co_return same_moment();
      memory_.forget(asked.here()->name, asked.text, entry);
    }
    CO_TRY(store::Row row, co_await refresh_token_row(asked.here(), asked.text));
    const std::optional<RememberedGrant> carried = entry ? std::nullopt : carried_grant(row);
    if (carried) {
      CO_TRY(Tried tried, co_await at_once(asked, *carried));
      if (tried.answer) {
        carried_.add();
        co_return std::move(*tried.answer);
      }
      if (tried.refused) {
        CO_TRY(row, co_await refresh_token_row(asked.here(), asked.text));
        if (rotated_out(row)) co_return same_moment();  // it was not when this request came
      }
    }
    Result<Json> answer = co_await after_reading(asked, std::move(row));
    if (answer.ok()) read_.add();
    co_return answer;
  }

 private:
  /// Nothing is read but the person, who is remembered while nobody changes. Errors are failures, never refusals.
  Task<Tried> at_once(const Asked& asked, const RememberedGrant& grant) {
    const RefreshToken& token = grant.token;
    Tried out;
    if (token.client_id != asked.client().client_id) co_return out;
    const auto scopes = narrowed_scopes(token, asked.request.params.get("scope"));
    if (!scopes.ok() || !check_refresh_audience(asked.request, token).ok()) co_return out;
    std::string user_id = token.user_id;
    CO_TRY(const std::optional<identity::User> user, co_await deps_.users.find(asked.here(), std::move(user_id)));
    if (!user || !may_refresh(asked.request, token, &*user, *scopes, false).ok()) co_return out;
    store::Batch conditions;
    expect_unlocked(conditions, asked.here(), *user, deps_.users, Code::invalid_grant);
    expect_session(conditions, asked.here(), grant, *user, asked.now);
    const std::optional<identity::Session> session = session_of(grant);
    Result<Json> given = co_await give(asked, grant, "", *user, session ? &*session : nullptr, *scopes, std::move(conditions));
    if (given.ok()) {
      out.answer = std::move(*given);
    } else {
      if (given.error().code != Code::invalid_grant) co_return std::move(given).error();
      out.refused = true;
    }
    co_return out;
  }

  Task<Json> after_reading(const Asked& asked, store::Row row) {
    CO_TRY(const Presented presented,
           co_await present_refresh_token(asked.here(), asked.client(), std::move(row), asked.text, asked.print, asked.now));
    const RefreshToken& token = presented.token;
    CO_TRY(const std::vector<std::string> scopes, narrowed_scopes(token, asked.request.params.get("scope")));
    CO_CHECK(check_refresh_audience(asked.request, token));
    std::string user_id = token.user_id;
    CO_TRY(const std::optional<identity::User> user, co_await deps_.users.find(asked.here(), std::move(user_id)));
    bool locked = false;
    if (user) {
      CO_TRY(locked, co_await is_locked(asked.here(), *user, deps_.users));
    }
    CO_CHECK(may_refresh(asked.request, token, user ? &*user : nullptr, scopes, locked));
    std::string sid = token.sid;
    CO_TRY(const std::optional<identity::Session> session, co_await find_session(asked.here(), std::move(sid)));
    const identity::Session* living = session ? &*session : nullptr;
    const RememberedGrant grant = remember(token, living);
    store::Batch no_conditions;
    Result<Json> given = co_await give(asked, grant, presented.successor, *user, living, scopes, std::move(no_conditions));
    if (!given.ok() && given.error().code == Code::invalid_grant) co_return same_moment();
    co_return given;
  }

  /// Makes the tokens and files them with what uses the old one up. invalid_grant when the transaction refused; then nothing
  /// was done. `conditions` go into it too.
  Task<Json> give(const Asked& asked, const RememberedGrant& grant, std::string successor, const identity::User& user,
                  const identity::Session* session, const std::vector<std::string>& scopes, store::Batch conditions) {
    const tenant::Client& client = asked.client();
    const Deadline deadline = asked.request.request.deadline;
    const PersonGrant wanted = refreshed_tokens(asked.request, grant.token, user, session, scopes);
    store::Batch rows;
    CO_TRY(PersonTokens tokens, co_await make_person_tokens(deps_, wanted, rows, deadline));
    // The change of the refresh token comes first: the batch stands or falls with it.
    store::Batch batch;
    batch.deadline = deadline;
    const bool rotates = successor.empty() && client.refresh_rotating && !client.refresh_infinite;
    if (rotates) {
      tokens.refresh_token = new_refresh_token(deps_.random);
      rotate_refresh_token(batch, client, grant, asked.text, tokens.refresh_token, asked.print, deps_.random, asked.now);
    } else if (successor.empty()) {
      touch_refresh_token(batch, client, grant.token, asked.text, asked.now);
    } else {
      tokens.refresh_token = successor;
      touch_family(batch, client, grant.token, asked.now);
    }
    for (store::Mutation& condition : conditions.mutations) batch.add(std::move(condition));
    for (store::Mutation& row : rows.mutations) batch.add(std::move(row));
    batch.add(tenant::audit_row(refresh_event(grant.token), asked.request.request, asked.now));
    CO_TRY([[maybe_unused]] const store::Outcome filed, co_await asked.here().store->mutate(std::move(batch)));
    const std::string_view house = asked.here()->name;
    if (rotates) memory_.spend(house, asked.text);
    if (successor.empty()) memory_.keep(house, rotates ? tokens.refresh_token : asked.text, grant);
    co_return Json(token_answer(tokens, scopes));
  }

  Task<std::optional<identity::Session>> find_session(const tenant::Here& here, std::string sid) const {
    std::optional<identity::Session> none;
    if (sid.empty()) co_return none;
    Result<std::optional<identity::Session>> found = co_await deps_.sessions.find(here, std::move(sid));
    co_return found;
  }

  Deps deps_;
  GrantMemory& memory_;
  Counter &remembered_, &carried_, &read_;
};

}  // namespace

std::unique_ptr<Grant> refresh_token_grant(const Deps& deps) {
  return std::make_unique<RefreshTokenGrant>(deps);
}

}  // namespace mandate::oauth
