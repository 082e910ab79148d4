#include "tables/wire/swagger.h"

#include "tables/permissions.h"

namespace mandate::tables::wire {
namespace {

JsonObject type_of(store::Type type) {
  switch (type) {
    case store::Type::boolean: return {{"type", "boolean"}};
    case store::Type::integer: return {{"type", "integer"}, {"format", "int64"}};
    case store::Type::real: return {{"type", "number"}};
    case store::Type::date: return {{"type", "string"}, {"format", "date-time"}};
    case store::Type::json: return {};
    default: return {{"type", "string"}};
  }
}

JsonObject reference(std::string_view name) { return {{"$ref", "#/definitions/" + std::string(name)}}; }

JsonObject query_parameter(std::string_view name, std::string_view type, std::string_view description) {
  JsonObject out{{"name", name}, {"in", "query"}, {"required", false}, {"type", type}};
  out["description"] = description;
  return out;
}

JsonObject path_id(bool integer) {
  return {{"name", "id"}, {"in", "path"}, {"required", true}, {"type", integer ? "integer" : "string"}, {"description", "The id of the item."}};
}

JsonArray list_parameters(bool soft_delete) {
  JsonArray out;
  out.push_back(query_parameter("$filter", "string", "An OData condition."));
  out.push_back(query_parameter("$orderby", "string", "OData orderings, by commas."));
  out.push_back(query_parameter("$skip", "integer", "Items to pass over."));
  out.push_back(query_parameter("$top", "integer", "The most items of the answer."));
  out.push_back(query_parameter("$select", "string", "Names of the properties wanted, by commas."));
  out.push_back(query_parameter("$inlinecount", "string", "allpages: the answer says how many items there are in all."));
  if (soft_delete) out.push_back(query_parameter("__includeDeleted", "boolean", "Deleted items too."));
  return out;
}

JsonObject answer(std::string_view description, Json schema = nullptr) {
  JsonObject out{{"description", description}};
  if (!schema.is_null()) out["schema"] = std::move(schema);
  return out;
}

/// The operations of one table, where it has them for anybody but an administrator.
class TablePaths {
 public:
  explicit TablePaths(const tenant::Table& table) : table_(table) {}

  JsonObject collection() const {
    JsonObject out;
    if (offered(Operation::read)) {
      JsonObject many{{"type", "array"}, {"items", reference(table_.name)}};
      JsonObject get = operation("Query", "Items of the table.", list_parameters(table_.soft_delete));
      get["responses"] = JsonObject{{"200", answer("The items.", std::move(many))}, {"400", answer("The query is wrong.")}};
      out["get"] = std::move(get);
    }
    if (offered(Operation::insert)) {
      JsonObject post = operation("Insert", "Adds an item.", JsonArray{body()});
      post["responses"] = JsonObject{{"201", answer("The item as it was stored.", reference(table_.name))}, {"409", answer("An item with that id exists.")}};
      out["post"] = std::move(post);
    }
    return out;
  }

  JsonObject item() const {
    JsonObject out;
    if (offered(Operation::read)) out["get"] = of_item("Find", "One item.", false);
    if (offered(Operation::undelete) && table_.soft_delete) out["post"] = of_item("Undelete", "Brings a deleted item back.", false);
    if (offered(Operation::update)) out["patch"] = of_item("Update", "Changes an item.", true);
    if (offered(Operation::remove)) out["delete"] = of_item("Delete", "Deletes an item.", false);
    return out;
  }

 private:
  bool offered(Operation operation) const { return permission_for(table_.permissions, operation) < Permission::admin; }
  JsonObject body() const { return {{"name", "body"}, {"in", "body"}, {"required", true}, {"schema", reference(table_.name)}}; }

  JsonObject operation(std::string_view verb, std::string_view summary, JsonArray parameters) const {
    JsonObject out{{"tags", JsonArray{Json(table_.name)}}, {"summary", summary}};
    out["operationId"] = std::string(verb) + table_.name;
    out["parameters"] = std::move(parameters);
    return out;
  }
  JsonObject of_item(std::string_view verb, std::string_view summary, bool with_body) const {
    JsonArray parameters{path_id(table_.integer_id)};
    if (with_body) parameters.push_back(body());
    JsonObject out = operation(verb, summary, std::move(parameters));
    out["responses"] = JsonObject{{"200", answer("The item.", reference(table_.name))}, {"404", answer("There is no such item.")}};
    return out;
  }

  const tenant::Table& table_;
};

JsonObject definition_of(const Described& described) {
  JsonObject properties;
  for (const auto& [name, type] : described.columns) properties[name] = type_of(type);
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

}  // namespace

JsonObject swagger_of(const tenant::Service& service, const http::Request& request, const std::vector<Described>& tables) {
  JsonObject paths, definitions;
  JsonArray tags;
  for (const Described& each : tables) {
    const TablePaths of_table(*each.table);
    JsonObject collection = of_table.collection(), item = of_table.item();
    if (collection.empty() && item.empty()) continue;
    const std::string path = "/tables/" + each.table->name;
    if (!collection.empty()) paths[path] = std::move(collection);
    if (!item.empty()) paths[path + "/{id}"] = std::move(item);
    definitions[each.table->name] = definition_of(each);
    tags.push_back(JsonObject{{"name", each.table->name}});
  }
  JsonObject out{{"swagger", "2.0"}, {"info", JsonObject{{"title", service.name}, {"version", "2.0.0"}}}, {"host", request.host}, {"basePath", request.prefix + "/"}};
  out["schemes"] = JsonArray{Json(request.secure ? "https" : "http")};
  out["consumes"] = JsonArray{Json("application/json")};
  out["produces"] = JsonArray{Json("application/json")};
  out["tags"] = std::move(tags);
  out["paths"] = std::move(paths);
  out["definitions"] = std::move(definitions);
  return out;
}

}  // namespace mandate::tables::wire
