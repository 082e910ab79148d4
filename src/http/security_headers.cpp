#include "http/security_headers.h"

namespace mandate::http {

bool is_developer_host(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || name == "127.0.0.1" || name.ends_with(".localhost");
}

}  // namespace mandate::http
