// The request target and the Host field (HT-5, HT-7).
#pragma once

#include <string>
#include <string_view>

namespace mandate::http::wire {

/// Percent-decodes a path once into `out`. False for a malformed or an encoded '/' or NUL, and for what is not UTF-8.
bool decode_path(std::string_view path, std::string& out);

/// host[:port] with a registered name, IPv4 or [IPv6], no blanks, no userinfo, port 1 … 65535.
bool valid_host(std::string_view host);

/// `host` in lower case, without ":80" (plain) or ":443" (secure), into `out`.
void normal_host(std::string_view host, bool secure, std::string& out);

/// Cuts an absolute-form target http[s]://authority/path into authority and the rest; false for other forms.
bool split_absolute(std::string_view target, std::string_view& authority, std::string_view& rest);

}  // namespace mandate::http::wire
