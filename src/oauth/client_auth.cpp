#include "oauth/client_auth.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"

namespace mandate::oauth {
namespace {

struct Basic {
  std::string client_id, secret;
};

Error refused(std::string detail) { return Error(Code::invalid_client, "Unauthorized", std::move(detail)); }

/// RFC 7617 with the form-decoding of RFC 6749 §2.3.1. Stray bytes are a wrong secret, not a lenient reading
/// (OA-12).
Result<Basic> read_basic(std::string_view value) {
  const auto text = base64_any_decode(value);
  if (!text || !valid_utf8(*text)) return refused("basic form");
  const auto colon = text->find(':');
  if (colon == std::string::npos || text->find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
    return refused("basic form");
  return Basic{percent_decode(std::string_view(*text).substr(0, colon), true),
               percent_decode(std::string_view(*text).substr(colon + 1), true)};
}

/// Every live secret is compared, so time tells neither which one matched nor how many there are.
bool secret_matches(const tenant::Client& client, std::string_view secret, Millis now) {
  const std::string hash = token_hash(secret);
  bool matched = false;
  for (const tenant::ClientSecret& s : client.secrets) {
    const bool alive = s.expires_at == 0 || s.expires_at > now;
    if (secret_equal(s.hash, hash) && alive) matched = true;
  }
  return matched;
}

bool is_basic(std::string_view header) { return header.size() > 6 && iequals(header.substr(0, 6), "basic "); }

}  // namespace

std::string basic_client_id(const http::Request& request) {
  const std::string_view header = request.headers.get("authorization");
  if (!is_basic(header)) return {};
  Result<Basic> basic = read_basic(header.substr(header.find_first_not_of(' ', 5)));
  return basic.ok() ? std::move(basic->client_id) : std::string();
}

Result<ClientAuth> authenticate_client(const tenant::Tenant& tenant, const http::Request& request,
                                       const http::Params& params, Millis now) {
  const std::string_view header = request.headers.get("authorization");
  ClientAuth auth;
  std::string client_id(params.get("client_id"));
  std::string secret(params.get("client_secret"));
  if (request.headers.count("authorization") > 1)
    return Error(Code::invalid_request, "More than one Authorization header.", "basic twice");
  if (is_basic(header)) {
    auth.basic = true;
    if (!secret.empty())
      return Error(Code::invalid_request, "More than one client authentication method.", "two methods");
    TRY(Basic basic, read_basic(header.substr(header.find_first_not_of(' ', 5))));
    if (!client_id.empty() && client_id != basic.client_id)
      return Error(Code::invalid_request, "client_id differs from the authenticated client.", "two clients");
    client_id = std::move(basic.client_id);
    secret = std::move(basic.secret);
  }
  if (params.has("client_assertion") || params.has("client_assertion_type"))
    return params.has("client_secret") || auth.basic
               ? Error(Code::invalid_request, "More than one client authentication method.", "two methods")
               : refused("assertions are not accepted");
  if (client_id.empty())
    return Error(Code::invalid_request, "Missing required parameter: client_id", "no client_id");

  auth.client = tenant.client(client_id);
  if (!auth.client) return refused("unknown client");
  if (secret.empty()) {
    if (auth.client->confidential() || auth.basic) return refused("secret missing");
    return auth;
  }
  if (!secret_matches(*auth.client, secret, now)) return refused("wrong secret");
  auth.proved = true;
  return auth;
}

}  // namespace mandate::oauth
