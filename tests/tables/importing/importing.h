// Rows of files for a table of World.
#pragma once

#include "base/base64.h"
#include "tables/importing/import.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {

using importing::Fault;
using importing::Import;
using importing::Imported;

inline constexpr std::string_view kThen = "2014-05-06T07:08:09.123Z";
inline const std::string kRowVersion = base64(std::string("\0\0\0\0\0\0\x07\xd1", 8));

class Importing : public World {
 protected:
  /// The rows of a JSON array, as lines 1, 2, 3 …
  Result<Imported> import(std::string_view table, std::string_view rows, Import how = {}) {
    JsonLimits limits;
    limits.bytes = limits.string_bytes = 4 << 20;
    const auto parsed = parse_json(rows, limits);
    EXPECT_TRUE(parsed.ok()) << rows.substr(0, 1000);
    if (!parsed.ok()) return Error(Code::invalid_request);
    for (const Json& row : parsed->get_array()) how.rows.push_back({static_cast<std::int64_t>(how.rows.size()) + 1, row.get_object()});
    OperationContext context;
    context.here = tenants.here;
    context.service = &context.here->services.find("default")->second;
    context.table = context.service->table(table);
    context.principal.level = identity::Level::admin;
    return mandate::test::run(loop, importing::import_rows(tables, std::move(context), std::move(how)));
  }
  Imported good(std::string_view table, std::string_view rows, Import how = {}) {
    auto done = import(table, rows, std::move(how));
    EXPECT_TRUE(done.ok()) << done.error().hint << done.error().detail;
    if (!done.ok()) return {};
    for (const Fault& fault : done->faults) EXPECT_EQ(fault.why, "") << "line " << fault.line;
    return *std::move(done);
  }
  static std::string lines(const Imported& done) {
    std::string out;
    for (const Fault& fault : done.faults) out += (out.empty() ? "" : " ") + std::to_string(fault.line);
    return out;
  }
  static std::string row(std::string_view more) {
    return R"([{"id":"a","createdAt":"2013-01-02T03:04:05.006Z","updatedAt":")" + std::string(kThen) + R"(",)" + std::string(more) + "}]";
  }
};

}  // namespace mandate::tables::test
