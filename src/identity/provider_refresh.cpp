#include "identity/provider_refresh.h"

#include <algorithm>

#include "base/loop.h"
#include "store/single_use.h"

namespace mandate::identity {
namespace {

using namespace std::chrono_literals;

constexpr store::Kind kTurn = "provider_refresh";
/// A provider is given up sooner than that, whatever the request would wait for.
constexpr std::chrono::milliseconds kLongest = 60s;

bool same(const ProviderTokens& a, const ProviderTokens& b) {
  return a.access_token == b.access_token && a.refresh_token == b.refresh_token && a.id_token == b.id_token && a.expires_at == b.expires_at;
}

/// The turn of one login, as a single-use object: who files it asks, who takes it away has asked.
struct Turn {
  store::Store& store;
  const Clock& clock;
  std::string handle, whose;
  std::chrono::milliseconds length;

  /// False: somebody else's.
  Task<bool> begin() {
    const Millis now = clock.now_ms();
    store::Batch batch;
    batch.add(store::drop_expired_single_use(kTurn, handle, now));  // of a node that died while it asked
    batch.add(store::file_single_use(kTurn, {handle, {}, now + length.count()}, whose));
    Task<store::Outcome> filing = store.mutate(std::move(batch));
    const Result<store::Outcome> filed = co_await filing;
    if (filed.ok()) co_return true;
    if (filed.error().code == Code::conflict) co_return false;
    co_return filed.error();
  }
  Task<void> end() {
    Task<JsonObject> taking = store::take(store, kTurn, handle, whose, clock.now_ms(), Code::not_found);
    const Result<JsonObject> taken = co_await taking;
    if (!taken.ok() && taken.error().code != Code::not_found) co_return taken.error();
    co_return ok();
  }
};

Task<void> ask(const ProviderRefresh& asked, ProviderTokens kept) {
  std::string refresh_token = kept.refresh_token;
  Task<ProviderTokens> asking = asked.strategy->refresh(asked.here, asked.connection, std::move(refresh_token), asked.deadline);
  CO_TRY(ProviderTokens fresh, co_await asking);
  if (fresh.id_token.empty()) fresh.id_token = kept.id_token;
  CO_CHECK(co_await keep_provider_tokens(asked.here, asked.vault, asked.user_id, asked.connection.name, std::move(fresh), asked.clock.now_ms()));
  co_return ok();
}

Error nothing_to_ask_with() { return Error(Code::request_not_supported, "", "no refresh token of the provider is kept"); }

}  // namespace

Task<void> refresh_provider_tokens(ProviderRefresh asked) {
  CO_TRY(const std::optional<ProviderTokens> before, co_await provider_tokens(asked.here, asked.vault, asked.user_id, asked.connection.name));
  if (!asked.strategy || !before || before->refresh_token.empty()) co_return nothing_to_ask_with();

  // The steady clock that requests' deadlines are of.
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(asked.deadline - std::chrono::steady_clock::now());
  Turn turn{*asked.here.store, asked.clock, asked.user_id + "/" + asked.connection.name, asked.whose, std::clamp<std::chrono::milliseconds>(left, 1s, kLongest) + 1s};
  for (auto pause = 20ms;; pause = std::min(pause * 2, std::chrono::milliseconds(500))) {
    CO_TRY(const bool mine, co_await turn.begin());
    if (mine) break;
    if (std::chrono::steady_clock::now() + pause > asked.deadline) co_return Error(Code::timeout, "", "another request refreshes the login");
    CO_CHECK(co_await sleep_for(pause));
  }
  Task<std::optional<ProviderTokens>> look = provider_tokens(asked.here, asked.vault, asked.user_id, asked.connection.name);
  Result<std::optional<ProviderTokens>> kept = co_await look;
  Result<void> outcome;
  if (!kept.ok()) {
    outcome = kept.error();
  } else if (!*kept || (*kept)->refresh_token.empty()) {
    outcome = nothing_to_ask_with();
  } else if (same(**kept, *before)) {  // else another request has asked while this one waited
    Task<void> asking = ask(asked, **kept);
    outcome = co_await asking;
  }
  Task<void> ending = turn.end();
  (void)co_await ending;  // a turn that stays behind runs out; what the provider said counts
  co_return outcome;
}

}  // namespace mandate::identity
