#include "server/edition.h"

#include "identity/mount.h"
#include "oauth/mount.h"
#include "push/mount.h"
#include "tables/mount.h"
#include "tenant/directory.h"

namespace mandate::server {

std::vector<store::Migration> every_migration() {
  std::vector<store::Migration> out;
  for (const auto list : {store::kMigrations, tenant::kMigrations, identity::kMigrations, oauth::kMigrations, tables::kMigrations, push::kMigrations})
    out.insert(out.end(), list.begin(), list.end());
  return out;
}

Edition this_edition() { return {"0.1.0", every_migration}; }

}  // namespace mandate::server
