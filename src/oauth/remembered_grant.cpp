#include "oauth/remembered_grant.h"

#include "oauth/scopes.h"

namespace mandate::oauth {

RememberedGrant remember(RefreshToken token, const identity::Session* session) {
  RememberedGrant out;
  out.token = std::move(token);
  out.token.used_at = out.token.expires_at = 0;
  out.session_lives = session != nullptr;
  if (!session) return out;
  out.auth_time = session->auth_time;
  out.amr = session->amr;
  return out;
}

std::string to_text(const RememberedGrant& grant) {
  const RefreshToken& t = grant.token;
  JsonObject out{{"client_id", t.client_id},
                 {"user_id", t.user_id},
                 {"sid", t.sid},
                 {"connection", t.connection},
                 {"audience", t.audience},
                 {"device", t.device},
                 {"scope", join(t.scopes)},
                 {"offline_consent", t.offline_consent},
                 {"user_epoch", t.user_epoch},
                 {"tenant_epoch", static_cast<std::int64_t>(t.tenant_epoch)},
                 {"created_at", t.created_at}};
  if (grant.session_lives) {
    JsonArray amr;
    for (const std::string& method : grant.amr) amr.emplace_back(method);
    out["session"] = JsonObject{{"auth_time", grant.auth_time}, {"amr", std::move(amr)}};
  }
  return to_json(out);
}

std::optional<RememberedGrant> remembered_grant(std::string_view family, std::string_view text) {
  const Result<Json> parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_object()) return std::nullopt;
  const JsonObject& all = parsed->get_object();
  RememberedGrant out;
  RefreshToken& t = out.token;
  t.family = family;
  std::string scope;
  const std::pair<const char*, std::string*> texts[] = {{"client_id", &t.client_id},   {"user_id", &t.user_id},   {"sid", &t.sid},
                                                         {"connection", &t.connection}, {"audience", &t.audience}, {"device", &t.device},
                                                         {"scope", &scope}};
  for (const auto& [name, place] : texts) {
    const auto member = text_member(all, name);
    if (!member) return std::nullopt;
    *place = *member;
  }
  t.scopes = scopes_of(scope);
  const auto offline = bool_member(all, "offline_consent");
  const auto user_epoch = integer_member(all, "user_epoch"), tenant_epoch = integer_member(all, "tenant_epoch"),
             created_at = integer_member(all, "created_at");
  if (!offline || !user_epoch || !tenant_epoch || !created_at) return std::nullopt;
  t.offline_consent = *offline;
  t.user_epoch = *user_epoch;
  t.tenant_epoch = static_cast<std::uint64_t>(*tenant_epoch);
  t.created_at = *created_at;
  const Json* session = all.if_contains("session");
  if (!session) return out;
  if (!session->is_object()) return std::nullopt;
  out.session_lives = true;
  const auto auth_time = integer_member(session->get_object(), "auth_time");
  const Json* amr = session->get_object().if_contains("amr");
  if (!auth_time || !amr || !amr->is_array()) return std::nullopt;
  out.auth_time = *auth_time;
  for (const Json& method : amr->get_array())
    if (method.is_string()) out.amr.emplace_back(view(method.get_string()));
  return out;
}

std::optional<identity::Session> session_of(const RememberedGrant& grant) {
  if (!grant.session_lives) return std::nullopt;
  identity::Session out;
  out.id = grant.token.sid;
  out.user_id = grant.token.user_id;
  out.connection = grant.token.connection;
  out.auth_time = grant.auth_time;
  out.amr = grant.amr;
  return out;
}

void expect_session(store::Batch& batch, const tenant::Here& here, const RememberedGrant& grant, const identity::User& user, Millis now) {
  if (grant.token.sid.empty()) return;
  using Expect = store::Mutation::Expect;
  batch.add(store::check("sessions", identity::live_session(here, grant.token.sid, user, now),
                         grant.session_lives ? Expect::one : Expect::none, Code::invalid_grant));
}

}  // namespace mandate::oauth
