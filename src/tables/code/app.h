// A folder in the style of Mobile Apps' Node server (mobile-backend-wire 5.10): its main file is run once, when it is deployed, and
// says which tables and APIs there are; their settings become configuration. Pure.
#pragma once

#include "tables/code/derive.h"

namespace mandate::tables::code {

/// The app's main file: the one that package.json starts or names as "main", else app.js, server.js or index.js, if it or what it
/// requires asks for azure-mobile-apps. Empty: the folder is none of this kind.
std::string app_of(const Files& files);

/// Adds what the app described (scripts/service_protocol.h, "describe"). invalid_request; the hint has a line for each thing wrong.
Result<void> add_app(const Json& described, Derived& out);

/// The table's object: what the app says of it over what is there. What it does not say stays as it is; of a table that is new
/// the permission is then "public", as it was there. `there`: null for a new one.
JsonObject app_table(const DerivedTable& table, const JsonObject* there);

}  // namespace mandate::tables::code
