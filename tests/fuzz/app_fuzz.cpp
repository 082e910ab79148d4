// What an app says of itself when it is deployed, which is what its author likes: and the package.json that names its main file.
#include "base/url.h"
#include "tables/code/app.h"
#include "tenant/codec/codec.h"

using namespace mandate;
using namespace mandate::tables::code;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string main = "require('azure-mobile-apps')";
  const Files named{{"package.json", text}, {"app.js", main}, {"src/app.js", main}};
  if (const std::string app = app_of(named); !named.contains(app)) __builtin_trap();  // app.js at the least
  const Files files{{"app.js", main}};
  Result<Derived> derived = derive(files);
  const Result<Json> described = parse_json(text);
  if (!derived.ok() || !described.ok() || !add_app(*described, *derived).ok()) return 0;
  // What was taken is configuration that can be read, new and over what is there, and is the same when it is deployed again.
  for (const auto& [lower, table] : derived->tables) {
    const JsonObject there{{"name", table.name}, {"permissions", "admin"}, {"user_id_column", "userId"}, {"columns", JsonObject{{"text", "string"}}}};
    for (const JsonObject* before : {static_cast<const JsonObject*>(nullptr), &there}) {
      JsonObject object = app_table(table, before);
      if (app_table(table, &object) != object) __builtin_trap();
      // Somebody's own rows stay so unless it is said.
      if (before && !table.settings.contains("user_id_column") && !object.contains("user_id_column")) __builtin_trap();
    }
  }
  (void)desire(*derived, files, {}, "demo", "default", 1, "h");
  return 0;
}
