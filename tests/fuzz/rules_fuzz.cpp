// Row rules: what parses is written as text that parses to the same, and binds or is refused.
#include "tables/rules/bind.h"
#include "tables/shape.h"

using namespace mandate;
using namespace mandate::tables;

namespace {

const Schema& docs() {
  static const std::shared_ptr<const Schema> schema = [] {
    tenant::Service service;
    service.name = "default";
    tenant::Table lists, table;
    lists.name = "lists";
    lists.columns = {{.name = "owner"}, {.name = "open", .type = "boolean"}};
    table.name = "docs";
    table.columns = {{.name = "owner"}, {.name = "n", .type = "integer"}, {.name = "due", .type = "date"}, {.name = "state", .type = "enum", .values = {"a", "b"}},
                     {.name = "shared", .type = "boolean"}, {.name = "listId", .references = "lists", .as = "list"}};
    service.tables["lists"] = lists;
    service.tables["docs"] = table;
    return expected_schema(service, service.tables["docs"]);
  }();
  return *schema;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rule = rules::parse(text);
  if (!rule.ok()) return 0;
  const std::string written = rules::to_text(**rule);
  // Brackets make it longer, perhaps beyond what a rule may be.
  if (const auto again = rules::parse(written); again.ok() && rules::to_text(**again) != written) __builtin_trap();
  (void)rules::outline(**rule);
  identity::Principal user;
  user.user_id = "Ana";
  user.claims = std::make_shared<const JsonObject>(JsonObject{{"teams", JsonArray{"red", 1}}, {"a", JsonObject{{"b", true}}}, {"roles", "admin"}});
  for (const rules::State state : {rules::State::as_it_is, rules::State::changing, rules::State::written})
    for (const identity::Principal* who : {static_cast<const identity::Principal*>(nullptr), static_cast<const identity::Principal*>(&user)}) {
      const rules::Scene scene{docs(), state, who, 1'700'000'000'000};
      if (const auto condition = rules::bind(**rule, scene); condition.ok()) (void)rules::describe(**condition);
    }
  return 0;
}
