// What one version differs in from the next: its name, and every room's steps, in the order of the floors.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/migrate.h"

namespace mandate::server {

struct Edition {
  std::string version;
  /// Asked whenever a store is opened.
  std::function<std::vector<store::Migration>()> migrations;
};

/// The version that this source is.
Edition this_edition();
std::vector<store::Migration> every_migration();

}  // namespace mandate::server
