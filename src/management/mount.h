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

class Moves;
}  // namespace mandate::management
namespace mandate::push {
class Registrations;
class Sends;
}  // namespace mandate::push
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
///   GET    /admin/delegation/explain?client=&target=&user=
///   POST   /admin/keys/rotate {"tenant","alg","revoke"}
///   GET    /admin/check                                     every tenant's store and audit chain
///   POST   /admin/move {"from","to","schema"}               begins to move the data to another engine
///   GET    /admin/move[?after=]                             how far it is, and its lines from that one on
///   POST   /admin/push {"tenant","service","tags"|"user","payload","platform"|"kind","headers"}   files a message
///   GET    /admin/push[?tenant=&service=]                   what became of those of the last week
///   GET    /admin/push/registrations[?tenant=&service=&after=]
///   GET    /admin/status
/// Errors: {"statusCode","error","message","errorCode"}.
void mount(http::Routes& routes, Deps& deps);

}  // namespace mandate::management
