// The room's tables, for store/migrate.
#pragma once

#include <span>

#include "store/migrate.h"

namespace mandate::oauth {

extern const std::span<const store::Migration> kMigrations;

}  // namespace mandate::oauth
