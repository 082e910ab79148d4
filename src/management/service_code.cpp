// A service's folder: deployed, rolled back, given back.
#include <charconv>

#include "base/url.h"
#include "management/service_app.h"
#include "management/service_desk.h"
#include "tables/code/code.h"
#include "tables/code/derive.h"

namespace mandate::management {

namespace {

namespace code = tables::code;

constexpr std::size_t kMostNote = 200, kShownFiles = 200;

bool yes(std::string_view text) { return text == "true" || text == "1" || text == "yes"; }

/// A version about to run: the files of a new one, or of one that was there before.
struct Coming {
  Site site;
  code::Files files;
  std::optional<std::int64_t> version;  ///< of one that was there
  std::string note;
  bool dry_run = false;
};

/// What runs now, as of the revision that the change will be made on top of.
struct Running {
  tenant::Objects objects;
  std::int64_t version = 0;
  std::string hash;
  code::Manifest manifest;  ///< empty when it cannot be read any more
};

Task<Running> running(Deps& deps, const Site& site) {
  Running out;
  Task<tenant::Objects> loading = deps.tenants.objects(site.here->name);
  CO_TRY(out.objects, co_await loading);
  const auto object = out.objects.find({std::string(tenant::kind::kServiceCode), site.service->name});
  if (object == out.objects.end()) co_return out;
  out.version = integer_member(object->second.body, "version").value_or(0);
  out.hash = text_member(object->second.body, "hash").value_or("");
  Task<code::Manifest> reading = code::manifest(*site.here.store, site.service->name, out.version);
  Result<code::Manifest> manifest = co_await reading;
  if (manifest.ok()) out.manifest = std::move(*manifest);
  else if (manifest.error().code != Code::not_found) co_return std::move(manifest).error();
  co_return out;
}

/// Scripts whose text is not the one that runs are compiled once, before anybody calls them. Without Node they go in unchecked.
Task<void> check_syntax(Deps& deps, const code::Derived& derived, const code::Files& files, const code::Manifest& now, const code::Manifest& next) {
  if (!deps.scripts) co_return ok();
  for (const std::string& path : derived.scripts) {
    const auto before = now.files.find(path);
    if (before != now.files.end() && before->second == next.files.find(path)->second) continue;
    Task<void> checking = deps.scripts->check(files.find(path)->second, path);
    const Result<void> checked = co_await checking;
    if (checked.ok()) continue;
    if (checked.error().code != Code::invalid_request) {
      deps.log.warn("script.unchecked", {{"script", path}, {"why", checked.error().hint}});
      continue;
    }
    const bool named = checked.error().hint.find(path) != std::string::npos;
    co_return Error(Code::invalid_request, named ? checked.error().hint : path + ": " + checked.error().hint);
  }
  co_return ok();
}

JsonArray shown(const std::vector<std::string>& paths) {
  JsonArray out;
  for (const std::string& path : paths) {
    if (out.size() == kShownFiles) break;
    out.emplace_back(path);
  }
  return out;
}

JsonObject answer_of(const Coming& coming, std::int64_t version, std::int64_t before, const code::Manifest& manifest,
                     const code::ManifestDiff& diff, const std::vector<tenant::Change>& changes) {
  JsonObject files{{"added", shown(diff.added)}, {"changed", shown(diff.changed)}, {"removed", shown(diff.removed)}};
  for (const auto& [name, count] : {std::pair("added_count", diff.added.size()), std::pair("changed_count", diff.changed.size()), std::pair("removed_count", diff.removed.size())})
    files[name] = count;
  return {{"tenant", coming.site.here->name}, {"service", coming.site.service->name}, {"dry_run", coming.dry_run},
          {"version", version}, {"version_before", before}, {"files", manifest.files.size()}, {"bytes", manifest.bytes()},
          {"difference", std::move(files)}, {"changes", changes_json(changes)}};
}

void add_lines(JsonObject& out, std::string_view member, const std::vector<std::string>& lines) {
  JsonArray list;
  for (const std::string& line : lines) list.emplace_back(line);
  if (!list.empty()) out[member] = std::move(list);
}

/// The first rows of the tables that have to get them.
std::map<std::string, JsonArray> seeds_of(const code::Derived& derived, const tenant::Objects& current, const std::string& service) {
  std::map<std::string, JsonArray> out;
  for (const std::string& lower : code::unsown(derived, current, service)) {
    const code::DerivedTable& table = derived.tables.at(lower);
    out[table.name] = table.seed;
  }
  return out;
}

/// The number of a version that is new.
Task<std::int64_t> next_version(const Site& site, std::int64_t active) {
  Task<std::vector<code::Version>> listing = code::versions(*site.here.store, site.service->name);
  CO_TRY(const std::vector<code::Version> all, co_await listing);
  co_return std::max(active, all.empty() ? 0 : all.front().version) + 1;
}

/// One change of configuration, and the files with it when they are new: all of it or nothing.
Task<http::Response> put_in_place(Deps& deps, const http::Request& request, Coming coming) {
  const Site& site = coming.site;
  Task<Running> looking = running(deps, site);
  CO_TRY(const Running now, co_await looking);
  Task<code::Manifest> hashing = deps.code->manifest_of(coming.files);
  CO_TRY(const code::Manifest manifest, co_await hashing);
  CO_TRY(code::Derived derived, code::derive(coming.files));
  Task<void> checking = check_syntax(deps, derived, coming.files, now.manifest, manifest);
  CO_CHECK(co_await checking);

  const std::string hash = manifest.hash();
  std::vector<std::string> said;
  Task<void> asking = ask_app(deps, site, coming.files, hash, request.deadline, derived, said);
  CO_CHECK(co_await asking);
  const bool same = now.version != 0 && now.hash == hash;
  const bool fresh = !coming.version && !same;
  std::int64_t version = coming.version.value_or(now.version);
  if (fresh) {
    Task<std::int64_t> counting = next_version(site, now.version);
    CO_TRY(version, co_await counting);
  }
  const tenant::Desired desired = code::desire(derived, coming.files, now.objects, site.here->name, site.service->name, version, hash);
  CO_TRY(tenant::DesiredPlan plan, tenant::plan_desired(desired, now.objects, deps.tenants.vault(), deps.random));
  if (!derived.service.code.app.empty()) {
    Task<void> fitting = check_app_tables(deps, desired, now.objects, site.service->name, coming.dry_run);
    CO_CHECK(co_await fitting);
  }
  said.insert(said.begin(), derived.notices.begin(), derived.notices.end());
  add_farewells(site.service->code, derived, said);
  const code::ManifestDiff diff = code::diff(now.manifest, manifest);
  JsonObject answer = answer_of(coming, version, now.version, manifest, diff, plan.changes);
  add_lines(answer, "notices", said);
  std::map<std::string, JsonArray> seeds = seeds_of(derived, now.objects, site.service->name);
  if (coming.dry_run || (plan.mutations.empty() && seeds.empty())) co_return http::Response::json(200, answer);
  if (fresh) {
    code::Version made{version, 0, 0, deps.clock.now_ms(), coming.note};
    Task<std::vector<store::Mutation>> filing = deps.code->filing(*site.here.store, site.service->name, std::move(made), now.version, manifest, coming.files);
    CO_TRY(std::vector<store::Mutation> filed, co_await filing);
    for (store::Mutation& each : filed) plan.mutations.push_back(std::move(each));
  }
  Result<void> written = {};
  if (!plan.mutations.empty()) {
    std::string what = "deployed";
    Task<void> writing = commit_changes(deps, request, site.here->name, plan.revision, std::move(plan.changes), std::move(plan.mutations), std::move(what));
    written = co_await writing;
  }
  if (!derived.service.code.app.empty()) {  // its tables were prepared
    Task<void> settling = settle_tables(deps, site.here->name);
    const Result<void> settled = co_await settling;
    if (!settled.ok()) said.push_back("the columns of its tables are not all settled: the next deployment tries again");
  }
  CO_CHECK(written);
  deps.log.info("service.deployed", {{"tenant", site.here->name}, {"service", site.service->name}, {"version", version}, {"before", now.version}, {"files", manifest.files.size()}});
  // The tables are there now, and so is the deployment: what a seed meets does not undo it.
  if (!seeds.empty()) {
    Task<JsonObject> sowing = sow(deps, site.here->name, site.service->name, std::move(seeds), said);
    Result<JsonObject> sown = co_await sowing;
    Result<void> noted = {};
    if (sown.ok()) {
      answer["seeded"] = std::move(*sown);
      if (deps.tables) {
        Task<void> noting = note_sown(deps, request, site);
        noted = co_await noting;
      }
    }
    const Error* wrong = !sown.ok() ? &sown.error() : !noted.ok() ? &noted.error() : nullptr;
    if (wrong) said.push_back("the first rows of new tables could not all be written, and the next deployment tries again: " + (wrong->hint.empty() ? std::string(name(wrong->code)) : wrong->hint));
    add_lines(answer, "notices", said);
  }
  co_return http::Response::json(200, answer);
}

Result<std::int64_t> number(std::string_view text, const char* name) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out < 1) return Error(Code::invalid_request, std::string(name) + " must be the number of a version");
  return out;
}

/// The newest version below the one that runs.
Task<std::int64_t> version_before(const Site& site) {
  Task<std::vector<code::Version>> listing = code::versions(*site.here.store, site.service->name);
  CO_TRY(const std::vector<code::Version> all, co_await listing);
  for (const code::Version& each : all)
    if (each.version < site.service->code.version) co_return each.version;
  co_return Error(Code::not_found, "There is no version before the one that runs.");
}

}  // namespace

Task<http::Response> post_deploy(Deps& deps, http::Request& request) {
  if (!deps.code) co_return Error(Code::not_found, "This server takes no folders.");
  const http::Params query = http::Params::of_query(request.query);
  Coming coming;
  CO_TRY(coming.site, site_of(deps, request));
  coming.note = query.get("note");
  if (coming.note.size() > kMostNote || !valid_utf8(coming.note)) co_return Error(Code::invalid_request, "note must be text of at most " + std::to_string(kMostNote) + " bytes");
  coming.dry_run = yes(query.get("dry_run"));
  CO_TRY(coming.files, code::parse_folder(request.body));
  Task<http::Response> work = put_in_place(deps, request, std::move(coming));
  Result<http::Response> answer = co_await work;
  co_return answer;
}

Task<http::Response> post_rollback(Deps& deps, http::Request& request) {
  if (!deps.code) co_return Error(Code::not_found, "This server takes no folders.");
  CO_TRY(const http::Params params, http::Params::of(request));
  Coming coming;
  CO_TRY(coming.site, site_of(deps, request));
  coming.dry_run = yes(params.get("dry_run"));
  if (params.has("version")) {
    CO_TRY(coming.version, number(params.get("version"), "version"));
  } else {
    Task<std::int64_t> looking = version_before(coming.site);
    CO_TRY(coming.version, co_await looking);
  }
  Task<code::Manifest> listing = code::manifest(*coming.site.here.store, coming.site.service->name, *coming.version);
  CO_TRY(code::Manifest manifest, co_await listing);
  Task<code::Files> reading = deps.code->files(*coming.site.here.store, std::move(manifest));
  CO_TRY(coming.files, co_await reading);
  Task<http::Response> work = put_in_place(deps, request, std::move(coming));
  Result<http::Response> answer = co_await work;
  co_return answer;
}

Task<http::Response> get_versions(Deps& deps, http::Request& request) {
  CO_TRY(const Site site, site_of(deps, request));
  Task<std::vector<code::Version>> listing = code::versions(*site.here.store, site.service->name);
  CO_TRY(const std::vector<code::Version> all, co_await listing);
  JsonArray list;
  for (const code::Version& each : all) {
    JsonObject one{{"version", each.version}, {"at", iso8601(each.made_at)}, {"files", each.files}, {"bytes", each.bytes}, {"active", each.version == site.service->code.version}};
    if (!each.note.empty()) one["note"] = each.note;
    list.push_back(std::move(one));
  }
  co_return http::Response::json(200, JsonObject{{"tenant", site.here->name}, {"service", site.service->name}, {"versions", std::move(list)}});
}

Task<http::Response> get_service_files(Deps& deps, http::Request& request) {
  if (!deps.code) co_return Error(Code::not_found, "This server takes no folders.");
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const Site site, site_of(deps, request));
  std::int64_t version = site.service->code.version;
  if (query.has("version")) {
    CO_TRY(version, number(query.get("version"), "version"));
  }
  if (version == 0) co_return Error(Code::not_found, "Nothing was deployed to service '" + site.service->name + "' yet.");
  Task<code::Manifest> listing = code::manifest(*site.here.store, site.service->name, version);
  CO_TRY(code::Manifest manifest, co_await listing);
  Task<code::Files> reading = deps.code->files(*site.here.store, std::move(manifest));
  CO_TRY(const code::Files files, co_await reading);
  http::Response answer(200);
  answer.headers.set("Content-Type", "application/vnd.mandate.folder");
  answer.body = code::write_folder(files);
  co_return answer;
}

}  // namespace mandate::management
