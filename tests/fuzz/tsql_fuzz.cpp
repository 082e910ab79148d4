// Whatever a script hands over as SQL, with a text of its caller's in it.
#include "tables/tsql/machine.h"
#include "tables/tsql/parser.h"
#include "tables/tsql/pushdown.h"

using namespace mandate;
using namespace mandate::tables::tsql;

namespace {

TablePtr table(bool integer_id) {
  using Role = TableInfo::Role;
  auto out = std::make_shared<TableInfo>();
  out->name = out->physical = "t";
  out->integer_id = integer_id;
  out->columns = {{"id", "id", integer_id ? Type::integer : Type::text, Role::id}, {"s", "s", Type::text}, {"n", "n", Type::real}, {"b", "b", Type::bit}, {"d", "d", Type::date}, {"j", "j", Type::text, Role::own, true}};
  out->columns.push_back({"__createdAt", "__createdAt", Type::date, Role::created});
  out->columns.push_back({"__updatedAt", "__updatedAt", Type::date, Role::updated});
  out->columns.push_back({"__version", "__updatedAt", Type::text, Role::version});
  out->columns.push_back({"__deleted", "__deleted", Type::bit, Role::deleted});
  return out;
}

const Known& known() {
  static const Known made{{"t", table(false)}, {"u", table(true)}};
  return made;
}

Rows rows_of(const TableInfo& info) {
  Rows out;
  for (int i = 0; i < 4; ++i) {
    Row row(info.columns.size());
    row[0] = info.integer_id ? Value(std::int64_t(i)) : Value("id" + std::to_string(i));
    if (i > 0) row[1] = std::string(i == 1 ? "Text " : "50% äß");
    if (i > 1) row[2] = i * 1.5, row[3] = i % 2 == 0, row[4] = Moment{i * 86'400'000LL};
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto script = parse({reinterpret_cast<const char*>(data), size}, "service");
  if (!script.ok()) return 0;
  const std::vector<Value> values{std::int64_t(2), std::string("text"), 1.5, Value(), true, Moment{0}};
  SeededRandom random;
  const Surroundings around{1'700'000'000'000, &random, {}, 0};
  for (Statement& each : script->statements) {
    auto loads = resolve(each, known(), values);
    if (!loads.ok()) continue;
    std::vector<Rows> loaded;
    for (const Load& load : *loads) {
      Reading reading = reading_of(load, values, around);
      if (each.kind == Statement::Kind::select && loads->size() == 1) narrow(reading, *each.query, load, values, around);
      loaded.push_back(rows_of(*load.table));
    }
    const Cost cost{.rows = 1000, .bytes = 1 << 16, .tuples = 2000, .until = std::chrono::steady_clock::now() + std::chrono::milliseconds(200)};
    Machine machine(loaded, values, around, cost);
    if (each.kind == Statement::Kind::select) (void)machine.rows(*each.query).ok();
    if (each.kind == Statement::Kind::update || each.kind == Statement::Kind::remove) (void)machine.tuples(each.query->selects.front()).ok();
    if (each.kind == Statement::Kind::insert)
      for (const auto& row : each.rows)
        for (const auto& value : row)
          if (value) (void)machine.value(*value, nullptr).ok();
  }
  return 0;
}
