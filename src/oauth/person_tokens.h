// What a person's client is given: access token, id_token, refresh token; made together, filed together.
#pragma once

#include "oauth/access_tokens.h"
#include "oauth/deps.h"
#include "oauth/refresh_tokens.h"

namespace mandate::oauth {

/// `may_issue` has spoken. Pointers are borrowed until the task is done.
struct PersonGrant {
  const tenant::Here* here = nullptr;
  std::string issuer;
  const tenant::Client* client = nullptr;
  const identity::User* user = nullptr;
  const identity::Session* session = nullptr;  ///< null when there is none, or no more
  const tenant::Api* api = nullptr;
  std::vector<std::string> scopes;
  std::string sid, grant_id, connection, device, nonce, code;
  std::string_view gty;
  bool browser = false, offline_consent = false;
  bool access_token = true, id_token = false, refresh_token = false;
};

struct PersonTokens {
  std::string access_token, id_token, refresh_token;
  std::int64_t expires_in = 0;  ///< seconds, of the access token
};

/// Makes what is wanted and adds its rows to `batch`; nothing may leave before the batch is in.
Task<PersonTokens> make_person_tokens(const Deps& deps, const PersonGrant& grant, store::Batch& batch,
                                      Deadline deadline);

/// The 200 body of /oauth/token.
JsonObject token_answer(const PersonTokens& tokens, const std::vector<std::string>& scopes);

/// An id that joins all that one login gives to one client; no '.' in it.
inline std::string new_grant_id(Random& random) { return random.token(12); }

}  // namespace mandate::oauth
