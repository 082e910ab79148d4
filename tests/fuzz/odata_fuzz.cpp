// Whatever a stranger writes after $filter=, $orderby= and $select=.
#include "tables/odata/parser.h"
#include "tables/odata/to_plan.h"

using namespace mandate;
using namespace mandate::tables;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const Schema schema = [] {
    Schema s;
    s.physical = "t";
    s.columns = {{"id", store::Type::text},   {"s", store::Type::text}, {"n", store::Type::real},
                 {"b", store::Type::boolean}, {"d", store::Type::date}, {"j", store::Type::json}};
    return s;
  }();
  odata::Query query;
  if (auto tree = odata::parse_filter(text); tree.ok()) {
    const std::string once = odata::to_text(*tree);
    // The text of a tree is a text of the same tree, unless writing it out made it longer than a filter may be.
    auto again = odata::parse_filter(once);
    if (again.ok() && odata::to_text(*again) != once) __builtin_trap();
    query.filter = *tree;
  }
  if (auto order = odata::parse_order(text); order.ok()) query.order = *order;
  if (auto select = odata::parse_select(text); select.ok()) query.select = *select;
  for (const Dialect dialect : {Dialect::v1, Dialect::v2})
    for (const bool dynamic : {true, false}) {
      auto plan = odata::to_plan(query, schema, dialect, dynamic, 50);
      (void)plan.ok();
    }
  return 0;
}
