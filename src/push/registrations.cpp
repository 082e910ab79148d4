#include "push/registrations.h"

#include <algorithm>
#include <set>

#include "push/tags.h"

namespace mandate::push {
namespace {

constexpr std::string_view kRows = "push_registrations", kTags = "push_tags";
constexpr Millis kReserved = 86'400'000;
constexpr std::int64_t kSweptAtOnce = 500;
const std::vector<std::string> kKey{"service", "id"};

store::ExprPtr of_service(const std::string& service) { return store::equals("service", service); }

/// Null, or later than now.
store::ExprPtr alive(Millis now) {
  std::vector<store::ExprPtr> later{store::column("expires_at", store::Type::integer), store::literal(now, store::Type::integer)};
  return store::make(store::Op::or_, {store::equals("expires_at", std::int64_t{0}), store::make(store::Op::gt, std::move(later))});
}

store::ExprPtr one_of(std::string column, const std::vector<std::string>& values) {
  std::vector<store::ExprPtr> args{store::column(std::move(column), store::Type::text)};
  for (const std::string& value : values) args.push_back(store::literal(value, store::Type::text));
  return store::make(store::Op::in, std::move(args));
}

JsonArray to_array(const std::vector<std::string>& texts) {
  JsonArray out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::vector<store::Cell> cells_of(const Registration& r, Millis now, Millis end) {
  return {{"installation", r.installation}, {"platform", std::string(name(r.platform))}, {"handle", r.handle}, {"user_id", r.user_id},
          {"tags", to_json(to_array(r.tags))}, {"template_name", r.template_name}, {"template_body", r.template_body},
          {"headers", to_json(r.headers)}, {"expiry", r.expiry}, {"variables", to_json(r.variables)},
          {"updated_at", now}, {"expires_at", end}};
}

store::Mutation insert_row(const std::string& service, const Registration& r, Millis now, Millis end) {
  std::vector<store::Cell> cells = cells_of(r, now, end);
  cells.push_back({"service", service});
  cells.push_back({"id", r.id});
  return store::insert(std::string(kRows), std::move(cells));
}

/// What a registration is found by: its own tags, its user's and its installation's.
std::vector<std::string> every_tag(const Registration& r) {
  std::set<std::string> all(r.tags.begin(), r.tags.end());
  if (!r.installation.empty()) all.insert(installation_tag(r.installation));
  return {all.begin(), all.end()};
}

void add_tags(store::Batch& batch, const std::string& service, const Registration& r) {
  for (const std::string& tag : every_tag(r))
    batch.add(store::insert(std::string(kTags), {{"service", service}, {"tag", tag}, {"registration", r.id}}));
}

void remove_tags(store::Batch& batch, const std::string& service, const std::string& id) {
  batch.add(store::remove(std::string(kTags), store::both(of_service(service), store::equals("registration", id))));
}

void remove_rows(store::Batch& batch, const std::string& service, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    batch.add(store::remove(std::string(kRows), store::both(of_service(service), store::equals("id", id))));
    remove_tags(batch, service, id);
  }
}

std::vector<std::string> texts_of(std::string_view json) {
  std::vector<std::string> out;
  const Result<Json> read = parse_json(json);
  if (read.ok() && read->is_array())
    for (const Json& each : read->get_array())
      if (each.is_string()) out.emplace_back(view(each.get_string()));
  return out;
}

JsonObject object_of(std::string_view json) {
  Result<Json> read = parse_json(json);
  return read.ok() && read->is_object() ? std::move(read->get_object()) : JsonObject();
}

Task<std::vector<Registration>> read(store::Store& store, store::ExprPtr where, std::optional<std::int64_t> limit) {
  store::Plan plan;
  plan.table = kRows;
  plan.where = std::move(where);
  plan.order.push_back({store::column("id", store::Type::text), false});
  plan.limit = limit;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> rows, co_await reading);
  std::vector<Registration> out;
  for (const store::Row& row : rows) out.push_back(registration_of(row));
  co_return out;
}

/// The rows an installation stands for.
std::vector<Registration> rows_of(const Installation& i) {
  std::vector<Registration> out;
  Registration base;
  base.installation = i.id, base.platform = i.platform, base.user_id = i.user_id, base.variables = i.variables;
  const auto add = [&](const std::string& place, const std::string& handle, const std::string& name, const Installation::Template* t) {
    Registration r = base;
    r.id = i.id + place, r.handle = handle, r.tags = i.tags;
    if (t) {
      r.template_name = name, r.template_body = t->body, r.expiry = t->expiry, r.headers = t->headers;
      for (const std::string& tag : t->tags)
        if (std::ranges::find(r.tags, tag) == r.tags.end()) r.tags.push_back(tag);
    }
    out.push_back(std::move(r));
  };
  add("", i.handle, "", nullptr);
  for (const auto& [name, t] : i.templates) add("/templates/" + name, i.handle, name, &t);
  for (const auto& [uri, tile] : i.tiles) {
    add("/tiles/" + uri, tile.handle, "", nullptr);
    for (const auto& [name, t] : tile.templates) add("/tiles/" + uri + "/templates/" + name, tile.handle, name, &t);
  }
  return out;
}

}  // namespace

Registration registration_of(const store::Row& row) {
  Registration out;
  out.id = row.text("id"), out.installation = row.text("installation"), out.handle = row.text("handle"), out.user_id = row.text("user_id");
  out.platform = platform_of(row.text("platform")).value_or(Platform::apns);
  out.tags = texts_of(row.text("tags"));
  out.template_name = row.text("template_name"), out.template_body = row.text("template_body"), out.expiry = row.text("expiry");
  out.headers = object_of(row.text("headers"));
  out.variables = object_of(row.text("variables"));
  return out;
}

Task<std::string> Registrations::reserve(store::Store& store, std::string service) {
  const Millis now = clock_.now_ms();
  Registration empty;
  empty.id = random_.uuid7(now);
  store::Mutation row = insert_row(service, empty, now, now + kReserved);
  for (store::Cell& cell : row.set)
    if (cell.column == "platform") cell.value = std::string();
  store::Batch batch;
  batch.add(std::move(row));
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_CHECK(co_await writing);
  co_return empty.id;
}

Task<void> Registrations::write(store::Store& store, std::string service, Registration registration, std::int64_t days) {
  store::Plan others;
  others.table = kRows;
  others.select = {"id"};
  others.where = store::both(of_service(service), store::equals("handle", registration.handle));
  others.limit = static_cast<std::int64_t>(kMostPerDevice);
  Task<std::vector<store::Row>> counting = store::rows(store, std::move(others));
  CO_TRY(const std::vector<store::Row> have, co_await counting);
  const bool known = std::ranges::any_of(have, [&](const store::Row& row) { return row.text("id") == registration.id; });
  if (have.size() >= kMostPerDevice && !known) co_return Error(Code::bad_request, "The device has too many registrations.");
  const Millis now = clock_.now_ms();
  store::ExprPtr mine = store::both(of_service(service), store::equals("id", registration.id));
  store::Mutation row = store::update(std::string(kRows), store::both(std::move(mine), alive(now)), cells_of(registration, now, end_of(days)));
  row.expect = store::Mutation::Expect::one;
  row.otherwise = Code::not_found;
  store::Batch batch;
  batch.add(std::move(row));
  remove_tags(batch, service, registration.id);
  add_tags(batch, service, registration);
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_CHECK(co_await writing);
  co_return ok();
}

Task<std::vector<Registration>> Registrations::of_handle(store::Store& store, std::string service, std::string handle) {
  store::ExprPtr where = store::both(of_service(service), store::equals("handle", handle));
  where = store::both(std::move(where), alive(clock_.now_ms()));
  Task<std::vector<Registration>> reading = read(store, std::move(where), static_cast<std::int64_t>(kMostPerDevice));
  Result<std::vector<Registration>> found = co_await reading;
  co_return found;
}

Task<void> Registrations::remove(store::Store& store, std::string service, std::string id) {
  store::Batch batch;
  remove_rows(batch, service, {id});
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_CHECK(co_await writing);
  co_return ok();
}

Task<void> Registrations::install(store::Store& store, std::string service, Installation installation, std::int64_t days) {
  // Two at once may both have read the same rows: the later finds the earlier's in its way and begins anew.
  for (int attempt = 0;; ++attempt) {
    store::ExprPtr where = store::both(of_service(service), store::equals("installation", installation.id));
    Task<std::vector<Registration>> reading = read(store, std::move(where), std::nullopt);
    CO_TRY(const std::vector<Registration> before, co_await reading);
    Installation next = installation;
    std::vector<std::string> ids;
    for (const Registration& r : before) {
      ids.push_back(r.id);
      if (r.id != installation.id || installation.tags_given) continue;
      for (const std::string& tag : r.tags)
        if (!tag.starts_with(kUserTag)) next.tags.push_back(tag);
    }
    if (!next.user_id.empty()) next.tags.push_back(user_tag(next.user_id));
    store::Batch batch;
    remove_rows(batch, service, ids);
    const Millis now = clock_.now_ms(), end = end_of(days);
    for (const Registration& r : rows_of(next)) {
      batch.add(insert_row(service, r, now, end));
      add_tags(batch, service, r);
    }
    Task<store::Outcome> writing = store.mutate(std::move(batch));
    const Result<store::Outcome> written = co_await writing;
    if (written.ok()) co_return ok();
    if (written.error().code != Code::conflict || attempt == 3) co_return written.error();
  }
}

Task<void> Registrations::uninstall(store::Store& store, std::string service, std::string id) {
  store::ExprPtr where = store::both(of_service(service), store::equals("installation", id));
  Task<std::vector<Registration>> reading = read(store, std::move(where), std::nullopt);
  CO_TRY(const std::vector<Registration> rows, co_await reading);
  std::vector<std::string> ids;
  for (const Registration& r : rows)
    if (r.id == id || r.id.starts_with(id + "/")) ids.push_back(r.id);
  if (ids.empty()) co_return ok();
  store::Batch batch;
  remove_rows(batch, service, ids);
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_CHECK(co_await writing);
  co_return ok();
}

Task<std::vector<Registration>> Registrations::page(store::Store& store, std::string service, std::string after, std::int64_t most) {
  std::vector<store::ExprPtr> behind{store::column("id", store::Type::text), store::literal(after, store::Type::text)};
  store::ExprPtr where = store::both(of_service(service), store::make(store::Op::gt, std::move(behind)));
  where = store::both(std::move(where), alive(clock_.now_ms()));
  std::vector<store::ExprPtr> given{store::column("platform", store::Type::text), store::literal(std::string(), store::Type::text)};
  where = store::both(std::move(where), store::make(store::Op::ne, std::move(given)));
  Task<std::vector<Registration>> reading = read(store, std::move(where), most);
  Result<std::vector<Registration>> found = co_await reading;
  co_return found;
}

Task<std::vector<Registration>> Registrations::by_id(store::Store& store, std::string service, std::vector<std::string> ids) {
  if (ids.empty()) co_return std::vector<Registration>{};
  store::ExprPtr where = store::both(of_service(service), one_of("id", ids));
  where = store::both(std::move(where), alive(clock_.now_ms()));
  Task<std::vector<Registration>> reading = read(store, std::move(where), std::nullopt);
  Result<std::vector<Registration>> found = co_await reading;
  co_return found;
}

Task<std::vector<store::Mutation>> forget_device(store::Store& store, std::string service, Platform platform, std::string handle, Millis now) {
  store::ExprPtr where = store::both(of_service(service), store::equals("handle", handle));
  where = store::both(std::move(where), store::equals("platform", std::string(name(platform))));
  Task<std::vector<Registration>> reading = read(store, std::move(where), std::nullopt);
  CO_TRY(const std::vector<Registration> rows, co_await reading);
  std::vector<std::string> ids;
  for (const Registration& r : rows) ids.push_back(r.id);
  store::Batch batch;
  remove_rows(batch, service, ids);
  batch.add(store::upsert("push_feedback", {"service", "platform", "handle"},
                          {{"service", service}, {"platform", std::string(name(platform))}, {"handle", handle}, {"at", now}}));
  co_return std::move(batch.mutations);
}

Task<std::int64_t> sweep_registrations(store::Store& store, Millis now) {
  std::vector<store::ExprPtr> set{store::column("expires_at", store::Type::integer), store::literal(std::int64_t{0}, store::Type::integer)};
  std::vector<store::ExprPtr> past{store::column("expires_at", store::Type::integer), store::literal(now, store::Type::integer)};
  store::Plan plan;
  plan.table = kRows;
  plan.select = {"service", "id"};
  plan.where = store::both(store::make(store::Op::gt, std::move(set)), store::make(store::Op::le, std::move(past)));
  plan.limit = kSweptAtOnce;
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> ended, co_await reading);
  if (ended.empty()) co_return std::int64_t{0};
  store::Batch batch;
  for (const store::Row& row : ended) remove_rows(batch, std::string(row.text("service")), {std::string(row.text("id"))});
  Task<store::Outcome> removing = store.mutate(std::move(batch));
  CO_CHECK(co_await removing);
  co_return static_cast<std::int64_t>(ended.size());
}

}  // namespace mandate::push
