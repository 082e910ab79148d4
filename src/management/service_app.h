// A folder whose app has to be run to say what it has. Inside the room only.
#pragma once

#include "management/service_desk.h"
#include "tables/code/derive.h"

namespace mandate::management {

/// Loads the app of `derived` once in a child, with the service's settings around it and nothing within its reach, and adds the
/// tables and APIs that it names; its lines go to `said`. Nothing for a folder without app. invalid_request: it does not load,
/// the hint has its stack; or what it says cannot be. Also what scripts::Host::run() says of a server that cannot run it.
/// Everything that is borrowed is the caller's until the task has ended.
Task<void> ask_app(Deps& deps, const Site& site, const tables::code::Files& files, std::string hash, Deadline deadline, tables::code::Derived& derived,
                   std::vector<std::string>& said);

/// A line for each table that the app of before had and this version has not, and is served no longer; and for those that a folder
/// without app names, which are served without the functions that stood around them.
void add_farewells(const tenant::ServiceCode& before, const tables::code::Derived& now, std::vector<std::string>& said);

/// check_tables() of the service's tables as they will be, those included that the folder does not name.
Task<void> check_app_tables(Deps& deps, const tenant::Desired& desired, const tenant::Objects& current, std::string service, bool dry_run);

/// Puts the first rows into tables: {table: rows}. What a row is refused for goes to `said`. Where an earlier deployment wrote some
/// already, those that are there are refused by their ids, and those without are left out.
Task<JsonObject> sow(Deps& deps, std::string tenant, std::string service, std::map<std::string, JsonArray> seeds, std::vector<std::string>& said);

/// Takes the marks of first rows that are not written off the service's tables (tables::kUnsown). conflict: somebody changed the
/// configuration meanwhile; the next deployment tries again.
Task<void> note_sown(Deps& deps, const http::Request& request, const Site& site);

}  // namespace mandate::management
