// What a table promises to clients that work offline.
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {

namespace {
constexpr std::int64_t kMostDays = 36'500;
}

void read_sync(ObjectReader& in, TableSync& out) {
  in.one_of("conflicts", out.conflicts, {"report", "client", "server", "newest", "script"});
  in.text("newest_by", out.newest_by, 64);
  const bool newest = out.conflicts == "newest";
  if (newest && out.newest_by.empty()) in.problem("newest_by", "is missing: the column that says when a client made its change");
  if (!newest && !out.newest_by.empty()) in.problem("newest_by", "needs conflicts: newest");
  if (!out.newest_by.empty())
    if (const std::string text = column_name_problem(out.newest_by); !text.empty()) in.problem("newest_by", text);
  in.integer("keep_deleted_days", out.keep_deleted_days, 0, kMostDays);
}

void write_sync(JsonObject& out, const TableSync& sync) {
  put(out, "conflicts", sync.conflicts, TableSync().conflicts);
  put(out, "newest_by", sync.newest_by);
  put(out, "keep_deleted_days", sync.keep_deleted_days, TableSync().keep_deleted_days);
}

}  // namespace mandate::tenant
