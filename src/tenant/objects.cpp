#include "tenant/objects.h"

namespace mandate::tenant {

namespace {

constexpr const char* kTable = "config";

Result<StoredObject> parse_row(const store::Row& row) {
  JsonLimits limits;  // our own rows: a script may be as long as a file may be
  limits.bytes = 16 << 20;
  limits.string_bytes = 8 << 20;
  Result<Json> parsed = parse_json(row.text("body"), limits);
  const std::string place = std::string(row.text("kind")) + " " + std::string(row.text("name"));
  if (!parsed.ok() || !parsed->is_object()) return Error(Code::corrupt, "", "configuration row " + place + " is not JSON");
  JsonObject& all = parsed->get_object();
  StoredObject out;
  out.revision = static_cast<std::uint64_t>(row.integer("revision"));
  if (Json* body = all.if_contains("body"); body && body->is_object()) out.body = std::move(body->get_object());
  if (const Json* sealed = all.if_contains("sealed"); sealed && sealed->is_object())
    for (const auto& [path, text] : sealed->get_object())
      if (text.is_string()) out.sealed.emplace(path, view(text.get_string()));
  return out;
}

/// The rows of `kind`; of every kind when it is empty.
Task<Objects> load(store::Store& store, std::string kind) {
  store::Plan plan;
  plan.table = kTable;
  plan.select = {"kind", "name", "body", "revision"};
  if (!kind.empty()) plan.where = store::equals("kind", std::move(kind));
  Result<std::vector<store::Row>> found = co_await store::rows(store, std::move(plan));
  if (!found.ok()) co_return std::move(found).error();
  Objects objects;
  for (const store::Row& row : *found) {
    Result<StoredObject> object = parse_row(row);
    if (!object.ok()) co_return std::move(object).error();
    ObjectKey key{std::string(row.text("kind")), std::string(row.text("name"))};
    objects.emplace(std::move(key), std::move(object).value());
  }
  co_return objects;
}

}  // namespace

Task<Objects> load_objects(store::Store& store) { return load(store, {}); }

Task<Objects> load_objects_of(store::Store& store, std::string kind) { return load(store, std::move(kind)); }

store::Mutation write_object(const ObjectKey& key, const StoredObject& object) {
  JsonObject all{{"body", object.body}};
  if (!object.sealed.empty()) {
    JsonObject sealed;
    for (const auto& [path, text] : object.sealed) sealed[path] = text;
    all["sealed"] = std::move(sealed);
  }
  return store::upsert(kTable, {"kind", "name"},
                       {{"kind", key.kind}, {"name", key.name}, {"body", to_json(all)},
                        {"revision", static_cast<std::int64_t>(object.revision)}});
}

store::Mutation remove_object(const ObjectKey& key) {
  return store::remove(kTable, store::both(store::equals("kind", key.kind), store::equals("name", key.name)));
}

store::Mutation raise_revision(std::uint64_t from) {
  if (from == 0)
    return store::insert(kTable, {{"kind", std::string(kind::kState)}, {"name", std::string()},
                                  {"body", std::string(R"({"body":{"epoch":0}})")}, {"revision", std::int64_t{1}}});
  store::Mutation m = store::update(
      kTable, store::both(store::both(store::equals("kind", std::string(kind::kState)), store::equals("name", std::string())),
                          store::equals("revision", static_cast<std::int64_t>(from))),
      {{"revision", static_cast<std::int64_t>(from + 1)}});
  m.expect = store::Mutation::Expect::one;
  m.otherwise = Code::conflict;
  return m;
}

std::uint64_t revision_of(const Objects& objects) {
  const auto state = objects.find({std::string(kind::kState), ""});
  return state == objects.end() ? 0 : state->second.revision;
}

}  // namespace mandate::tenant
