// The owner's desk: what the `mandate` command asks for.
#pragma once

#include <functional>
#include <string>

#include "base/log.h"
#include "http/router.h"
#include "scripts/host.h"
#include "tenant/apply.h"

namespace mandate::management {

/// Why may, or may not, this client trade this user's token for that target: {"allowed":…, "steps":[…]} or the like.
using ExplainDelegation =
    std::function<Task<Json>(tenant::Here here, std::string client_id, std::string target, std::string user_id)>;

class Departures;
class Moves;
}  // namespace mandate::management
namespace mandate::push {
class Registrations;
class Sends;
}  // namespace mandate::push
namespace mandate::tables::jobs {
class Desk;
}  // namespace mandate::tables::jobs
namespace mandate::tables {
class Tables;
namespace code {
class CodeStore;
}
}  // namespace mandate::tables
namespace mandate::management {

struct Deps {
  tenant::TenantDirectory& tenants;
  tenant::UserSeeder& people;
  scripts::Host* scripts = nullptr;      ///< checks the syntax of scripts; null = unchecked
  ExplainDelegation explain_delegation;  ///< empty = 404
  const Clock& clock;
  Random& random;
  Log& log;
  std::string version;                   ///< shown by status
  Moves* moves = nullptr;                ///< null = 404
  push::Sends* sends = nullptr;          ///< these two: null = 404
  push::Registrations* registrations = nullptr;
  tables::code::CodeStore* code = nullptr;  ///< null: no folders are taken
  tables::jobs::Desk* jobs = nullptr;       ///< null = 404
  tables::Tables* tables = nullptr;         ///< null: rows are left alone
  Departures* departures = nullptr;         ///< null: rows of deleted services stay, and nobody gets their names
};

/// Mount on the router of the owner's Unix socket, and on no other: whoever can open the socket is the owner. A request that
/// came another way (Request::local_admin false) is answered 403 before anything is looked up (AD-1).
/// `deps` must outlive the routes.
///
///   POST   /admin/apply[?dry_run=true]                      a tenant's file, YAML or JSON
///   GET    /admin/export[?tenant=]                          the file, without secrets
///   POST   /admin/export {"tenant","master_key"}            with secrets, for who shows the master key (KS-3)
///   GET    /admin/scripts[?tenant=&service=]
///   GET    /admin/scripts/{service}/{table}/{operation}     PUT with the source as body, DELETE
///   GET    /admin/logs[?tenant=&service=&source=&since=]      since: milliseconds, included
///   GET    /admin/rules/explain?table=&operation=&user=&id=[&service=&key=&claims=]   levels, owner, rules, and what they say of a row
///   GET    /admin/delegation/explain?client=&target=&user=
///   POST   /admin/keys/rotate {"tenant","alg","revoke"}
///   GET    /admin/check                                     every tenant's store and audit chain
///   POST   /admin/move {"from","to","schema"}               begins to move the data to another engine
///   GET    /admin/move[?after=]                             how far it is, and its lines from that one on
///   POST   /admin/push {"tenant","service","tags"|"user","payload","platform"|"kind","headers"}   files a message
///   GET    /admin/push[?tenant=&service=]                   what became of those of the last week
///   GET    /admin/push/registrations[?tenant=&service=&after=]
///   GET    /admin/services[?tenant=]
///   POST   /admin/services {"tenant","name","hosts","prefix"}        its keys are in the answer, once
///   DELETE /admin/services/{service}[?tenant=&force=true]
///   POST   /admin/services/{service}/keys {"key","overlap"}          a new key; the one before counts for so many seconds
///   POST   /admin/services/{service}/deploy[?dry_run=&note=]         a folder (tables/code/folder.h)
///   POST   /admin/services/{service}/rollback {"version","dry_run"}  without a version: the one before
///   GET    /admin/services/{service}/versions
///   GET    /admin/services/{service}/files[?version=]                the folder
///   GET    /admin/services/{service}/types                           its tables in TypeScript
///   GET    /admin/jobs[?tenant=&service=]                   jobs, when they are due next, their last runs
///   POST   /admin/jobs/run {"tenant","service","job"}       files a run; 409 while the job has one
///   GET    /admin/jobs/runs[?tenant=&service=&job=&top=]    runs of two weeks, the newest first
///   POST   /admin/tables/import {"tenant","service","table","rows":[[line,{…}]],…}   rows of a file, as they are (imports.cpp)
///   POST   /admin/tables/purge {"tenant","service","table","days"}   removes rows deleted longer ago; "more": ask again
///   GET    /admin/status
/// Errors: {"statusCode","error","message","errorCode"}.
void mount(http::Routes& routes, Deps& deps);

}  // namespace mandate::management
