// A tenant's file: what the tenant should be. Parsed, compared with what it is, and brought about in one batch.
//
//   tenant: demo
//   settings: {…}            connections: {NAME: {…}}     users: [{…}]
//   apis: {IDENTIFIER: {…}}  clients: {CLIENT_ID: {…}}    client_grants: [{…}]   delegation_grants: [{…}]
//   services: {NAME: {hosts, keys, tables: {NAME: {permissions, scripts: {insert: …}}}}}
//   tables: {…}              the tables of the service "default", for a tenant with one
//
// A section that is there is complete: what it does not list goes away. A section that is not there is left alone. People
// are data, not configuration: `users` makes those who are missing and never changes or removes anybody.
#pragma once

#include "tenant/objects.h"
#include "tenant/secrets.h"
#include "tenant/user_seeder.h"

namespace mandate::tenant {

struct DesiredObject {
  JsonObject body;  ///< in the writers' form
  PlainSecrets secrets;
};

/// A part of the configuration that the file speaks for: objects of `kind` whose name begins with `prefix`.
struct Scope {
  std::string kind, prefix;
};

struct Desired {
  std::string tenant;
  std::map<ObjectKey, DesiredObject> objects;
  std::vector<Scope> scopes;
  std::vector<SeedUser> users;
};

/// invalid_request; the hint has one line for each thing wrong, with its path in the file.
Result<Desired> parse_desired(const Json& file);
/// YAML, or JSON, which begins with '{'. ≤ 4 MiB.
Result<Desired> parse_desired_text(std::string_view text);

struct FieldChange {
  std::string path;
  Json before, after;  ///< null where there is none; secrets are "***"
};

struct Change {
  enum class Act { create, update, remove };
  Act act = Act::create;
  ObjectKey key;
  std::vector<FieldChange> fields;
};

/// A secret nobody gave, made here; shown once to the one who applied the file.
struct MadeSecret {
  ObjectKey key;
  std::string path;
  Secret value;
};

struct DesiredPlan {
  std::uint64_t revision = 0;  ///< the one it was made against
  std::vector<Change> changes;
  Objects after;               ///< the whole configuration as it will be
  std::vector<store::Mutation> mutations;
  std::vector<MadeSecret> made;
};

/// Pure but for fresh secrets. invalid_request when the whole would not fit together (a grant for a client that does not
/// exist …), corrupt when a kept secret cannot be unsealed.
Result<DesiredPlan> plan_desired(const Desired& desired, const Objects& current, const Vault& vault, Random& random);

/// {"act":"update","kind":"client","name":"todo","fields":[{"path","before","after"}]}
JsonObject change_json(const Change& change);

/// The file that brings this configuration about, every section in it. Secrets only when `secrets` is given: then in plain
/// text, for an owner who showed the master key (KS-3). Signing keys are never in it.
Result<Json> export_tenant(const std::string& name, const Objects& objects, const Vault* secrets);

}  // namespace mandate::tenant
