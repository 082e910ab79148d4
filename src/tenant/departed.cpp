#include "tenant/departed.h"

namespace mandate::tenant {

ObjectKey departed_key(std::string service) { return {std::string(kind::kDepartedService), std::move(service)}; }

StoredObject departed_note(const Objects& current, const std::string& service, std::uint64_t revision) {
  const std::string prefix = service + "/";
  JsonArray tables;
  for (const auto& [key, object] : current)
    if (key.kind == kind::kTable && key.name.starts_with(prefix)) tables.emplace_back(key.name.substr(prefix.size()));
  StoredObject out;
  out.body["tables"] = std::move(tables);
  out.revision = revision;
  return out;
}

std::vector<std::string> tables_of(const StoredObject& note) {
  std::vector<std::string> out;
  const Json* tables = note.body.if_contains("tables");
  if (!tables || !tables->is_array()) return out;
  for (const Json& each : tables->get_array())
    if (each.is_string()) out.emplace_back(view(each.get_string()));
  return out;
}

std::vector<store::Mutation> still_departed(const std::string& service) {
  std::vector<store::Mutation> out{remove_object(departed_key(service)), remove_object({std::string(kind::kService), service})};
  for (store::Mutation& each : out) {
    each.kind = store::Mutation::Kind::check;
    each.otherwise = Code::conflict;
  }
  out.front().expect = store::Mutation::Expect::one;
  out.front().hold = true;
  out.back().expect = store::Mutation::Expect::none;
  return out;
}

Error still_leaving(const std::string& service) {
  return Error(Code::conflict, "A service '" + service + "' was deleted and its rows are not all gone yet. Try again in a moment.");
}

}  // namespace mandate::tenant
