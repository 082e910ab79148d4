#include "tables/script_user.h"

#include "base/url.h"

namespace mandate::tables {
namespace {

std::string_view word_of(identity::Level level) {
  switch (level) {
    case identity::Level::admin: return "admin";
    case identity::Level::authenticated: return "authenticated";
    default: return "anonymous";
  }
}

/// What getIdentities gives: the provider's user, by the key that scripts know it by; null for tokens of other makers.
Json identities_of(const identity::Principal& principal) {
  if (principal.identities) return *principal.identities;
  const std::string provider = ascii_lower(principal.provider);
  const std::string key = provider == "microsoftaccount" ? "microsoft" : provider;
  for (const std::string_view known : {"facebook", "google", "twitter", "microsoft", "aad"})
    if (key == known) return JsonObject{{key, JsonObject{{"userId", principal.user_id}}}};
  return nullptr;
}

}  // namespace

void append_script_user(std::string& out, const identity::Principal& who) {
  out += R"({"level":)";
  append_json_string(out, word_of(who.level));
  out += R"(,"identities":)";
  append_json(out, identities_of(who));
  if (!who.user_id.empty()) {
    out += R"(,"userId":)";
    append_json_string(out, who.user_id);
  }
  out += '}';
}

}  // namespace mandate::tables
