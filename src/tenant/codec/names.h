// Which names and URLs a configuration may contain.
#pragma once

#include <string>
#include <string_view>

#include "tenant/codec/reader.h"

namespace mandate::tenant {

/// Each gives what is wrong, in words for the file's author; empty when nothing is.
std::string tenant_name_problem(std::string_view name);      ///< a-z 0-9 -, ≤ 63, not "system"
std::string client_id_problem(std::string_view id);          ///< A-Z a-z 0-9 - _ ., ≤ 64
std::string connection_name_problem(std::string_view name);  ///< A-Z a-z 0-9 - _, ≤ 128
std::string service_name_problem(std::string_view name);     ///< a-z 0-9 -, ≤ 63
std::string table_name_problem(std::string_view name);       ///< A-Z a-z 0-9 _, letter first, ≤ 64
std::string column_name_problem(std::string_view name);
std::string audience_problem(std::string_view identifier);   ///< printable without blanks, ≤ 255
std::string prefix_problem(std::string_view path);           ///< "/a/b", what a service's doors may stand below
std::string host_problem(std::string_view host);             ///< host[:port], lower case, no scheme

/// OA-2. javascript: and its cousins, fragment, userinfo, a host that is all wildcard, http off loopback: in any letter case.
/// `subdomain_wildcard`: "https://*.example.com/…" is let through (legacy clients, identity-wire 0.3 #10).
std::string redirect_problem(std::string_view url, bool subdomain_wildcard);
/// scheme://host[:port] and nothing after it; a wildcard sub-domain is let through.
std::string origin_problem(std::string_view origin);

/// Adds a problem per entry.
template <class Check>
void check_each(ObjectReader& reader, std::string_view name, const std::vector<std::string>& list, Check check) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (std::string text = check(list[i]); !text.empty())
      reader.problems().add(reader.at(name) + "[" + std::to_string(i) + "]", "'" + list[i].substr(0, 120) + "' " + text);
}

}  // namespace mandate::tenant
