// The doors of the tables room.
#pragma once

#include <span>

#include "http/router.h"
#include "identity/bearer.h"
#include "store/migrate.h"
#include "tables/operations.h"

namespace mandate::tables {

class CustomApis;

/// Tables table_shapes and table_sequences; one of each per tenant.
extern const std::span<const store::Migration> kMigrations;

/// Everything must outlive the routes.
struct Deps {
  const tenant::Tenants& tenants;
  identity::Bearers& bearers;
  Tables& tables;
  Script* script = nullptr;  ///< null: no table has scripts that run
  const Clock& clock;
  Log& log;
  Metrics& metrics;
  CustomApis* apis = nullptr;  ///< null: no service has custom APIs
};

/// /tables/{table} and /tables/{table}/{id} in every dialect, /v1/tables … /v4/tables in one, preflights included; /status,
/// /diagnostics, /swagger; /api/{name}
/// and below it, where a service has custom APIs; OPTIONS of *.
void mount(http::Routes& routes, const Deps& deps);

}  // namespace mandate::tables
