#include "tenant/apply.h"

#include "tenant/audit.h"
#include "tenant/snapshot.h"

namespace mandate::tenant {

namespace {

/// The tenant's first database connection, by name.
std::string first_database(const Tenant& tenant) {
  for (const auto& [name, connection] : tenant.connections)
    if (connection.strategy == "auth0" && connection.enabled) return name;
  return {};
}

/// Where people go, with the connection of each one named. invalid_request when the tenant has no database connection.
Result<void> place_people(const Tenant& tenant, std::vector<SeedUser>& people) {
  for (SeedUser& user : people) {
    if (user.connection.empty()) user.connection = first_database(tenant);
    if (user.connection.empty())
      return Error(Code::invalid_request, "users: this tenant has no connection with strategy auth0 to keep people in");
  }
  return {};
}

}  // namespace

store::Mutation config_changed(const std::vector<Change>& changes, const http::Request& request, Millis now) {
  Event event;
  event.type = "config.changed";
  JsonArray list;
  for (const Change& change : changes) {
    JsonObject one = change_json(change);
    JsonArray paths;  // which members, not what is in them: the log outlives the setting
    for (const FieldChange& field : change.fields) paths.emplace_back(field.path);
    one["fields"] = std::move(paths);
    list.push_back(std::move(one));
  }
  event.details["changes"] = std::move(list);
  return audit_row(event, request, now);
}

Task<Applied> apply_desired(TenantDirectory& directory, UserSeeder& seeder, Desired desired, bool dry_run,
                            const http::Request& request, const Clock& clock, Random& random, LastLook look) {
  Applied applied;
  applied.tenant = desired.tenant;
  applied.dry_run = dry_run;
  applied.made_tenant = !directory.by_name(desired.tenant).ok();

  Objects current;
  if (applied.made_tenant) {
    // A file that does not fit together must not leave an empty tenant behind.
    Result<DesiredPlan> rehearsal = plan_desired(desired, current, directory.vault(), random);
    if (!rehearsal.ok()) co_return std::move(rehearsal).error();
    if (!dry_run) CO_CHECK(co_await directory.create(desired.tenant));
  }
  if (!applied.made_tenant || !dry_run) {
    Result<Objects> loaded = co_await directory.objects(desired.tenant);
    if (!loaded.ok()) co_return std::move(loaded).error();
    current = std::move(loaded).value();
  }
  // What is left of deleted services is gone before a file is applied; nothing has to be for a rehearsal.
  if (dry_run) std::erase_if(current, [](const auto& each) { return each.first.kind == kind::kDepartedService; });
  CO_TRY(DesiredPlan plan, plan_desired(desired, current, directory.vault(), random));
  Problems ignored;
  CO_TRY(const std::shared_ptr<const Tenant> after, build_snapshot(desired.tenant, plan.after, directory.vault(), clock.now_ms(), ignored));
  CO_CHECK(place_people(*after, desired.users));

  if (look) {
    Task<void> looking = look(plan);
    CO_CHECK(co_await looking);
  }
  applied.changes = std::move(plan.changes);
  if (!dry_run) {
    applied.made = std::move(plan.made);
    // An algorithm named for the first time has its keys in the same batch: nobody asks for a token in between.
    CO_TRY(std::vector<store::Mutation> keys, co_await directory.missing_keys(desired.tenant, plan.after, plan.revision + 1));
    for (store::Mutation& key : keys) plan.mutations.push_back(std::move(key));
    if (!plan.mutations.empty()) {
      plan.mutations.push_back(config_changed(applied.changes, request, clock.now_ms()));
      CO_CHECK(co_await directory.commit(desired.tenant, plan.revision, std::move(plan.mutations)));
    }
  }

  Result<Here> here = directory.by_name(desired.tenant);
  for (SeedUser& user : desired.users) {
    bool there = false;
    // On a dry run for a new tenant, or a new connection, there is nobody yet.
    if (here.ok() && (*here)->connection(user.connection)) {
      Result<bool> exists = co_await seeder.exists(*here, user.connection, user.email);
      if (!exists.ok()) co_return std::move(exists).error();
      there = *exists;
    }
    if (there) continue;
    applied.people.push_back(user.email);
    if (dry_run) continue;
    if (!here.ok()) co_return here.error();
    const std::string email = user.email;
    Result<void> made = co_await seeder.create(*here, std::move(user));
    if (!made.ok()) co_return Error(made.error().code, "users: " + email + ": " + made.error().hint, made.error().detail);
  }
  co_return applied;
}

}  // namespace mandate::tenant
