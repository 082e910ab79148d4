// What the endpoints share. Inside the room only.
#pragma once

#include "http/params.h"
#include "management/mount.h"

namespace mandate::management {

/// The management shape of security-and-reliability 0.1; 5xx hints are replaced by a generic text.
http::Response error_answer(const Error& error, const http::Request& request);

using Endpoint = Task<http::Response> (*)(Deps& deps, http::Request& request);
/// Owner only, errors in our shape, no-store.
http::Handler owner_only(Deps& deps, Endpoint endpoint);

/// Largest body of an import: its rows come in several.
inline constexpr std::size_t kImportBytes = 8 << 20;

/// The tenant asked for, or the only one. invalid_request when several could be meant, not_found.
Result<tenant::Here> tenant_of(const Deps& deps, std::string_view name);

/// invalid_request when what tables declare does not fit together, or not the rows they have; the hint has a line for each thing.
/// Without `dry_run` tables that are there get the indexes they lack, no columns; settle_tables() has to follow, whatever becomes of
/// the file. When it refuses that is done already.
Task<void> check_tables(Deps& deps, const tenant::Desired& desired, bool dry_run);
/// Gives the tenant's tables the columns of its configuration that they lack, its indexes and no others. What fails is logged.
Task<void> settle_tables(Deps& deps, std::string tenant);

Task<http::Response> get_rules_explain(Deps& deps, http::Request& request);
Task<http::Response> post_apply(Deps& deps, http::Request& request);
Task<http::Response> get_export(Deps& deps, http::Request& request);
Task<http::Response> post_export(Deps& deps, http::Request& request);
Task<http::Response> list_scripts(Deps& deps, http::Request& request);
Task<http::Response> get_script(Deps& deps, http::Request& request);
Task<http::Response> put_script(Deps& deps, http::Request& request);
Task<http::Response> delete_script(Deps& deps, http::Request& request);
Task<http::Response> get_logs(Deps& deps, http::Request& request);
Task<http::Response> get_explain(Deps& deps, http::Request& request);
Task<http::Response> post_rotate(Deps& deps, http::Request& request);
Task<http::Response> get_check(Deps& deps, http::Request& request);
Task<http::Response> post_move(Deps& deps, http::Request& request);
Task<http::Response> get_move(Deps& deps, http::Request& request);
Task<http::Response> post_push(Deps& deps, http::Request& request);
Task<http::Response> get_push(Deps& deps, http::Request& request);
Task<http::Response> get_push_registrations(Deps& deps, http::Request& request);
Task<http::Response> list_services(Deps& deps, http::Request& request);
Task<http::Response> post_service(Deps& deps, http::Request& request);
Task<http::Response> delete_service(Deps& deps, http::Request& request);
Task<http::Response> post_service_keys(Deps& deps, http::Request& request);
Task<http::Response> post_deploy(Deps& deps, http::Request& request);
Task<http::Response> post_rollback(Deps& deps, http::Request& request);
Task<http::Response> get_versions(Deps& deps, http::Request& request);
Task<http::Response> get_service_types(Deps& deps, http::Request& request);
Task<http::Response> get_service_files(Deps& deps, http::Request& request);
Task<http::Response> post_import(Deps& deps, http::Request& request);
Task<http::Response> post_purge(Deps& deps, http::Request& request);
Task<http::Response> get_jobs(Deps& deps, http::Request& request);
Task<http::Response> post_job_run(Deps& deps, http::Request& request);
Task<http::Response> get_job_runs(Deps& deps, http::Request& request);
Task<http::Response> get_status(Deps& deps, http::Request& request);

}  // namespace mandate::management
