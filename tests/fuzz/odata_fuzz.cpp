// Whatever a stranger writes after $filter=, $orderby= and $select=, in both grammars.
#include "tables/odata/parser.h"
#include "tables/odata/to_plan.h"

using namespace mandate;
using namespace mandate::tables;

namespace {

const Schema& schema() {
  static const Schema made = [] {
    using odata::Edm;
    Schema s;
    s.physical = "t";
    s.columns = {{"id", store::Type::text},   {"s", store::Type::text},    {"n", store::Type::real},     {"b", store::Type::boolean}, {"d", store::Type::date},
                 {"j", store::Type::json},    {"day", store::Type::date},  {"clock", store::Type::date}, {"span", store::Type::integer},
                 {"rank", store::Type::integer}, {"place", store::Type::json}, {"key", store::Type::text}, {"raw", store::Type::text}};
    const std::pair<const char*, Edm> meanings[] = {{"day", Edm::date},         {"clock", Edm::time},  {"span", Edm::duration}, {"rank", Edm::enumeration},
                                                    {"place", Edm::point}, {"key", Edm::guid},    {"raw", Edm::binary}};
    for (const auto& [column, edm] : meanings)
      s.meanings[column] = std::make_shared<const odata::Meaning>(odata::Meaning{edm, {"low", "high"}});
    return s;
  }();
  return made;
}

void read(std::string_view text, odata::Grammar grammar) {
  const odata::Limits limits;
  odata::Query query;
  if (auto tree = odata::parse_filter(text, limits, grammar); tree.ok()) {
    const std::string once = odata::to_text(*tree);
    // The text of a tree is a text of the same tree, unless writing it out made it longer than a filter may be.
    auto again = odata::parse_filter(once, limits, grammar);
    if (again.ok() && odata::to_text(*again) != once) __builtin_trap();
    query.filter = *tree;
  }
  if (auto order = odata::parse_order(text, limits, grammar); order.ok()) query.order = *order;
  if (auto select = odata::parse_select(text); select.ok()) query.select = *select;
  for (const Dialect dialect : {Dialect::v1, Dialect::v2, Dialect::v4})
    for (const bool dynamic : {true, false}) {
      auto plan = odata::to_plan(query, {schema(), dialect, dynamic, 1'700'000'000'000}, 50);
      (void)plan.ok();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text, odata::Grammar::v2);
  read(text, odata::Grammar::v4);
  return 0;
}
