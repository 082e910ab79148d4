// What people see: plain HTML without script, in the light or dark their system asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/response.h"

namespace mandate::identity {

/// A provider's button.
struct Way {
  std::string label;  ///< "GitHub"
  std::string href;
};
/// A database connection, when there is more than one to choose from.
struct Directory {
  std::string name, label;
};

/// The sign-in and the sign-up page. All texts may be a stranger's: the template escapes them (SE-4).
struct LoginPage {
  std::string app;             ///< the client's name
  std::string handle, csrf;    ///< hidden fields
  std::vector<Way> ways;
  std::vector<Directory> directories;  ///< empty = no form
  std::string directory;       ///< the one chosen before
  std::string username, email; ///< as typed before
  std::string error;           ///< a sentence; empty = none
  std::string other_page;      ///< sign-up from sign-in and back; empty = no link
  bool asks_username = false;  ///< sign-up: the directory wants a user name too
};
http::Response login_page(int status, const LoginPage& page);
http::Response sign_up_page(int status, const LoginPage& page);

/// A page that ends the way: what happened and what to do. `request_id` helps whoever is asked; may be empty.
http::Response problem_page(int status, std::string_view title, std::string_view text, std::string_view request_id);

/// The page at the end of embedded browsers' ways: nothing to see (identity-wire 1.1).
http::Response blank_page();

/// How a provider is called: its display name, else the usual spelling of its strategy, else the connection's name.
std::string provider_label(std::string_view display_name, std::string_view strategy, std::string_view name);

/// The style of all pages; its hash is in their policy.
extern const std::string_view kStyle;

}  // namespace mandate::identity
