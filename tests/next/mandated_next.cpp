// mandated as it may be one version on: it calls itself 0.2.0 and has more steps than this source. The environment says which,
// and how it dies:
//   NEXT_STEP=additive   0.1.0 can go on beside it and after it (this one when nothing is said)
//   NEXT_STEP=breaking   it cannot
//   NEXT_DIES_AT=N       as by SIGKILL before the N-th store is opened: those before it are open, and migrated
#include <csignal>
#include <cstdlib>

#include "server/process.h"

namespace {

using mandate::store::Migration;

constexpr Migration kAdditive{"identity", "9001_shoes_additive",
                              "ALTER TABLE users ADD COLUMN shoe_size BIGINT; CREATE INDEX users_shoes ON users (shoe_size);"
                              "ALTER TABLE audit ADD COLUMN mood TEXT DEFAULT 'calm';"
                              "ALTER TABLE oauth_refresh_families ADD COLUMN next_device TEXT;"
                              "CREATE TABLE next_shelves (id TEXT NOT NULL PRIMARY KEY, length BIGINT);"};
constexpr Migration kBreaking{"identity", "9002_laces", "ALTER TABLE users ADD COLUMN laces BIGINT;"};

std::string said(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

int main(int argc, char** argv) {
  mandate::server::Edition next = mandate::server::this_edition();
  next.version = "0.2.0";
  next.migrations = [breaking = said("NEXT_STEP") == "breaking", left = std::atoi(said("NEXT_DIES_AT").c_str())]() mutable {
    if (left > 0 && --left == 0) ::raise(SIGKILL);
    std::vector<Migration> out = mandate::server::every_migration();
    out.push_back(kAdditive);
    if (breaking) out.push_back(kBreaking);
    return out;
  };
  return mandate::server::run(std::vector<std::string>(argv + 1, argv + argc), next);
}
