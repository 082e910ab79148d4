#include "store/migrate.h"

namespace mandate::store {

bool additive(std::string_view name) { return name.ends_with("_additive"); }

Result<void> check_step(std::span<const Migration> migrations, std::string_view room, std::string_view name) {
  if (additive(name)) return {};
  bool ours = false;
  for (const Migration& m : migrations) {
    if (m.room != room) continue;
    if (m.name == name) return {};
    ours = true;
  }
  if (!ours) return {};
  return Error(Code::conflict, "The data was written by a newer version: it knows the step " + std::string(room) + "/" + std::string(name) +
                                   ", this one does not. Start the newer version.");
}

}  // namespace mandate::store
