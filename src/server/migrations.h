// Every room's steps, in the order of the floors.
#pragma once

#include <vector>

#include "store/migrate.h"

namespace mandate::server {

std::vector<store::Migration> every_migration();

}  // namespace mandate::server
