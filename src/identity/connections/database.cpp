#include "identity/connections/database.h"

#include "base/json.h"
#include "base/url.h"

namespace mandate::identity {

DatabaseOptions database_options(const tenant::Connection& connection) {
  DatabaseOptions options;
  options.disable_signup = bool_member(connection.options, "disable_signup").value_or(false);
  options.requires_username = bool_member(connection.options, "requires_username").value_or(false);
  return options;
}

bool plausible_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64 || text.find('@', at + 1) != std::string_view::npos)
    return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F || std::string_view("\"(),:;<>[\\]").find(c) != std::string_view::npos) return false;
  const std::string_view domain = text.substr(at + 1);
  if (domain.empty() || domain.front() == '.' || domain.back() == '.') return false;
  return domain.find("..") == std::string_view::npos;
}

bool plausible_username(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text.find('@') == std::string_view::npos;
}

}  // namespace mandate::identity
