#include "oauth/token/code.h"

#include "oauth/scopes.h"

namespace mandate::oauth {

JsonObject AuthorizationCode::to_json() const {
  return {{"client_id", client_id},
          {"redirect_uri", redirect_uri},
          {"redirect_uri_given", redirect_uri_given},
          {"user_id", user_id},
          {"sid", sid},
          {"connection", connection},
          {"audience", audience},
          {"nonce", nonce},
          {"code_challenge", code_challenge},
          {"device", device},
          {"grant_id", grant_id},
          {"scope", join(scopes)},
          {"offline_consent", offline_consent},
          {"auth_time", auth_time},
          {"user_epoch", user_epoch},
          {"tenant_epoch", static_cast<std::int64_t>(tenant_epoch)}};
}

AuthorizationCode AuthorizationCode::from_json(const JsonObject& object) {
  const auto text = [&object](std::string_view name) {
    return std::string(text_member(object, name).value_or(""));
  };
  AuthorizationCode out;
  out.client_id = text("client_id");
  out.redirect_uri = text("redirect_uri");
  out.redirect_uri_given = bool_member(object, "redirect_uri_given").value_or(true);
  out.user_id = text("user_id");
  out.sid = text("sid");
  out.connection = text("connection");
  out.audience = text("audience");
  out.nonce = text("nonce");
  out.code_challenge = text("code_challenge");
  out.device = text("device");
  out.grant_id = text("grant_id");
  out.scopes = scopes_of(text("scope"));
  out.offline_consent = bool_member(object, "offline_consent").value_or(false);
  out.auth_time = integer_member(object, "auth_time").value_or(0);
  out.user_epoch = integer_member(object, "user_epoch").value_or(0);
  out.tenant_epoch = static_cast<std::uint64_t>(integer_member(object, "tenant_epoch").value_or(0));
  return out;
}

}  // namespace mandate::oauth
