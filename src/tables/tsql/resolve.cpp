#include "tables/tsql/resolve.h"

#include <set>

#include "base/url.h"
#include "tables/tsql/functions.h"

namespace mandate::tables::tsql {
namespace {

constexpr int kMostDepth = 300;
constexpr std::size_t kMostColumns = 4096;

using Role = TableInfo::Role;

void note_tables(const Expr* e, std::set<std::string>& out);

void note_tables(const Query& query, std::set<std::string>& out) {
  for (const Select& select : query.selects) {
    for (const Source& source : select.sources) {
      if (source.derived) note_tables(*source.derived, out);
      else out.insert(ascii_lower(source.table));
      note_tables(source.on.get(), out);
    }
    for (const Item& item : select.items) note_tables(item.value.get(), out);
    for (const ExprPtr& by : select.group) note_tables(by.get(), out);
    for (const Expr* e : {select.top.get(), select.where.get(), select.having.get()}) note_tables(e, out);
  }
  for (const Ordering& ordering : query.order) note_tables(ordering.by.get(), out);
  note_tables(query.offset.get(), out);
  note_tables(query.fetch.get(), out);
}

void note_tables(const Expr* e, std::set<std::string>& out) {
  if (!e) return;
  for (const ExprPtr& arg : e->args) note_tables(arg.get(), out);
  if (e->query) note_tables(*e->query, out);
}

/// The same value wherever both are looked at.
bool same(const Expr& a, const Expr& b) {
  if (a.op != b.op || a.query || b.query || a.args.size() != b.args.size()) return false;
  if (a.op == Op::column) return a.level == b.level && a.source == b.source && a.slot == b.slot;
  if (a.value != b.value || a.number != b.number || a.function != b.function || a.part != b.part) return false;
  if (a.negated != b.negated || a.distinct != b.distinct || a.simple != b.simple || a.aggregate != b.aggregate) return false;
  if (a.cast.type != b.cast.type || a.cast.length != b.cast.length || a.cast.scale != b.cast.scale || a.cast.day != b.cast.day) return false;
  if (a.function && a.function->changes) return false;
  for (std::size_t i = 0; i < a.args.size(); ++i)
    if (!same(*a.args[i], *b.args[i])) return false;
  return true;
}

/// A select and those around it.
struct Scope {
  Query* query = nullptr;
  Select* select = nullptr;
  std::size_t sources = 0;  ///< those that names may mean by now
  Scope* outer = nullptr;
};

class Binder {
 public:
  Binder(const Known& known, const std::vector<Value>& values) : known_(known), values_(values) {}

  Result<void> statement(Statement& s) {
    switch (s.kind) {
      case Statement::Kind::select: return query(*s.query, nullptr);
      case Statement::Kind::insert: return insert(s);
      case Statement::Kind::update:
      case Statement::Kind::remove: return change(s);
      default: return {};
    }
  }

  std::vector<Load> loads;

 private:
  enum class Aggregates { refused, taken };

  Result<TablePtr> table(const std::string& name, Position at) const {
    const auto found = known_.find(ascii_lower(name));
    if (found == known_.end()) return fault("Invalid object name '" + name + "'", at);
    return found->second;
  }

  Result<std::size_t> own_column(const TableInfo& table, const std::string& name, Position at) const {
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      if (iequals(table.columns[i].name, name)) return i;
    return fault("Invalid column name '" + name + "'", at);
  }

  Result<void> writable(const TableInfo& table, std::size_t slot, bool inserting, Position at) const {
    const auto& column = table.columns[slot];
    if (column.role == Role::own || column.role == Role::deleted) return {};
    if (column.role == Role::id && inserting) {
      if (table.integer_id) return fault("The ids of table '" + table.name + "' are given by the server", at);
      return {};
    }
    return fault("The column '" + column.name + "' cannot be written", at);
  }

  Result<void> query(Query& q, Scope* outer) {
    const Deeper deeper(*this);
    CHECK_OK(check_depth(q.at));
    for (Select& each : q.selects) {
      Scope scope{&q, &each, 0, outer};
      CHECK_OK(select(scope));
      const bool first = &each == &q.selects.front();
      if (!first && each.items.size() != q.types.size()) return fault("The selects of a UNION have another number of columns", each.at);
      for (std::size_t i = 0; i < each.items.size(); ++i) {
        if (first) q.names.push_back(each.items[i].name), q.types.push_back(each.items[i].value->type);
        else q.types[i] = higher(q.types[i], each.items[i].value->type);
      }
      if (q.selects.size() == 1) CHECK_OK(order(scope));
    }
    if (q.selects.size() > 1) {
      Scope scope{&q, nullptr, 0, outer};
      CHECK_OK(order(scope));
    }
    Scope around{&q, nullptr, 0, outer};
    for (Expr* e : {q.offset.get(), q.fetch.get()})
      if (e) CHECK_OK(expression(*e, around, Aggregates::refused));
    return {};
  }

  Result<void> sources(Scope& scope) {
    Select& s = *scope.select;
    std::set<std::string> names;
    for (std::size_t i = 0; i < s.sources.size(); ++i) {
      Source& source = s.sources[i];
      if (!names.insert(ascii_lower(source.alias)).second) return fault("Two tables have the name '" + source.alias + "'", source.at);
      if (source.derived) {
        CHECK_OK(query(*source.derived, scope.outer));
        if (source.derived->correlated) mark_correlated(scope.outer ? &scope : nullptr, 1);
        for (std::size_t c = 0; c < source.derived->names.size(); ++c) {
          if (source.derived->names[c].empty()) return fault("A column of '" + source.alias + "' has no name", source.at);
          source.names.push_back(source.derived->names[c]);
          source.types.push_back(source.derived->types[c]);
        }
        source.ids.assign(source.names.size(), false);
        source.shown.assign(source.names.size(), true);
      } else {
        TRY(const TablePtr found, table(source.table, source.at));
        for (const auto& column : found->columns) {
          source.names.push_back(column.name);
          source.types.push_back(column.type);
          source.ids.push_back(column.role == Role::id || column.exact);
          source.shown.push_back(column.shown);
        }
        source.load = loads.size();
        loads.push_back({found, std::vector<bool>(found->columns.size()), &s, i});
      }
      scope.sources = i + 1;
      if (source.on) CHECK_OK(expression(*source.on, scope, Aggregates::refused));
    }
    return {};
  }

  Result<void> select(Scope& scope) {
    Select& s = *scope.select;
    CHECK_OK(sources(scope));
    if (s.where) CHECK_OK(expression(*s.where, scope, Aggregates::refused));
    for (ExprPtr& by : s.group) CHECK_OK(expression(*by, scope, Aggregates::refused));
    CHECK_OK(spread_stars(scope));
    for (Item& item : s.items) CHECK_OK(expression(*item.value, scope, Aggregates::taken));
    if (s.having) CHECK_OK(expression(*s.having, scope, Aggregates::taken));
    if (s.top) {
      Scope around{scope.query, nullptr, 0, scope.outer};
      CHECK_OK(expression(*s.top, around, Aggregates::refused));
    }
    s.grouped = !s.group.empty() || !s.aggregates.empty() || s.having;
    if (!s.grouped) return {};
    for (const Item& item : s.items) CHECK_OK(check_grouped(*item.value, s));
    if (s.having) CHECK_OK(check_grouped(*s.having, s));
    return {};
  }

  Result<void> spread_stars(Scope& scope) {
    Select& s = *scope.select;
    std::vector<Item> out;
    for (Item& item : s.items) {
      if (item.value) {
        out.push_back(std::move(item));
        continue;
      }
      bool any = false;
      for (const Source& source : s.sources) {
        if (!item.qualifier.empty() && !iequals(item.qualifier, source.alias)) continue;
        any = true;
        for (std::size_t c = 0; c < source.names.size(); ++c) {
          if (!source.shown[c]) continue;
          Item made;
          made.at = item.at;
          made.name = source.names[c];
          made.value = std::make_unique<Expr>();
          made.value->op = Op::column;
          made.value->at = item.at;
          made.value->name = source.names[c];
          made.value->qualifier = source.alias;
          out.push_back(std::move(made));
        }
      }
      if (!any) return fault(item.qualifier.empty() ? "A star needs a table" : "There is no table '" + item.qualifier + "' here", item.at);
    }
    if (out.size() > kMostColumns) return fault("The select has too many columns", s.at);
    s.items = std::move(out);
    return {};
  }

  /// By the place of a column in the result, by its name, or by what it is; else by a value of the rows, where they can be told.
  Result<void> order(Scope& scope) {
    Query& q = *scope.query;
    for (Ordering& ordering : q.order) {
      Expr& by = *ordering.by;
      if (const auto* place = std::get_if<std::int64_t>(&by.value); by.op == Op::literal && place) {
        if (*place < 1 || *place > static_cast<std::int64_t>(q.types.size())) return fault("ORDER BY means a column that is not there", by.at);
        ordering.item = static_cast<std::size_t>(*place - 1);
        continue;
      }
      if (by.op == Op::column && by.qualifier.empty()) {
        for (std::size_t i = 0; i < q.names.size() && !ordering.item; ++i)
          if (iequals(q.names[i], by.name)) ordering.item = i;
        if (ordering.item) continue;
      }
      if (!scope.select) return fault("ORDER BY of a UNION takes columns of its result", by.at);
      Select& s = *scope.select;
      const bool grouped = s.grouped;
      CHECK_OK(expression(by, scope, Aggregates::taken));
      if (!s.aggregates.empty() && !grouped) {
        s.grouped = true;
        for (const Item& item : s.items) CHECK_OK(check_grouped(*item.value, s));
      }
      for (std::size_t i = 0; i < s.items.size() && !ordering.item; ++i)
        if (same(*s.items[i].value, by)) ordering.item = i;
      if (ordering.item) continue;
      if (s.distinct) return fault("ORDER BY of a SELECT DISTINCT takes columns of its result", by.at);
      if (s.grouped) CHECK_OK(check_grouped(by, s));
    }
    return {};
  }

  Result<void> check_grouped(const Expr& e, const Select& s) const {
    if (e.op == Op::aggregate) return {};
    for (const ExprPtr& by : s.group)
      if (same(*by, e)) return {};
    if (e.op == Op::column && e.level == 0) return fault("Column '" + e.name + "' is in neither an aggregate function nor GROUP BY", e.at);
    for (const ExprPtr& arg : e.args) CHECK_OK(check_grouped(*arg, s));
    return {};
  }

  void mark_correlated(Scope* from, int levels) {
    for (Scope* scope = from; scope && levels > 0; scope = scope->outer, --levels) scope->query->correlated = true;
  }

  Result<void> column(Expr& e, Scope& scope) {
    int level = 0;
    for (Scope* s = &scope; s; s = s->outer, ++level) {
      bool found = false;
      for (std::size_t i = 0; s->select && i < s->sources; ++i) {
        Source& source = s->select->sources[i];
        if (!e.qualifier.empty() && !iequals(e.qualifier, source.alias)) continue;
        for (std::size_t c = 0; c < source.names.size(); ++c) {
          if (!iequals(source.names[c], e.name)) continue;
          if (found) return fault("Ambiguous column name '" + e.name + "'", e.at);
          found = true;
          e.level = level;
          e.source = i;
          e.slot = c;
          e.type = source.types[c];
          e.exact = source.ids[c];
          if (!source.derived) loads[source.load].used[c] = true;
        }
      }
      if (found) return mark_correlated(&scope, level), Result<void>();
    }
    const std::string name = e.qualifier.empty() ? e.name : e.qualifier + "." + e.name;
    // The later dialects spell our columns without underscores.
    for (const std::string_view ours : {"createdAt", "updatedAt", "version", "deleted"}) {
      if (!iequals(ours, e.name)) continue;
      e.name.insert(0, "__");
      return column(e, scope);
    }
    return fault("Invalid column name '" + name + "'", e.at);
  }

  Result<void> expression(Expr& e, Scope& scope, Aggregates aggregates) {
    const Deeper deeper(*this);
    CHECK_OK(check_depth(e.at));
    if (e.op == Op::column) return column(e, scope);
    if (e.op == Op::aggregate) {
      if (aggregates == Aggregates::refused || !scope.select) return fault("An aggregate function cannot stand here", e.at);
      aggregates = Aggregates::refused;
      e.number = scope.select->aggregates.size();
      scope.select->aggregates.push_back(&e);
    }
    for (ExprPtr& arg : e.args) CHECK_OK(expression(*arg, scope, aggregates));
    if (e.query) {
      CHECK_OK(query(*e.query, &scope));
      if (e.op != Op::exists && e.query->types.size() != 1) return fault("A subselect gives one column here", e.at);
    }
    e.type = type_of(e);
    if (is_condition(e))
      for (const ExprPtr& arg : e.args) e.exact = e.exact || (arg->op == Op::column && arg->exact);
    return {};
  }

  Type type_of(const Expr& e) const {
    const auto all = [&](std::size_t from, std::size_t step) {
      Type out = Type::null;
      for (std::size_t i = from; i < e.args.size(); i += step) out = higher(out, e.args[i]->type);
      return out;
    };
    const auto number = [](Type type) { return type == Type::real || type == Type::date ? type : Type::integer; };
    switch (e.op) {
      case Op::literal: return tsql::type_of(e.value);
      case Op::parameter: return e.number < values_.size() ? tsql::type_of(values_[e.number]) : Type::null;
      case Op::negate: return number(e.args[0]->type);
      case Op::add: return e.args[0]->type <= Type::text && e.args[1]->type <= Type::text ? Type::text : number(all(0, 1));
      case Op::sub:
      case Op::mul:
      case Op::div:
      case Op::mod: return number(all(0, 1));
      case Op::case_: {
        Type out = all(e.simple ? 2 : 1, 2);
        const std::size_t branches = e.args.size() - (e.simple ? 1 : 0);
        if (branches % 2 == 1) out = higher(out, e.args.back()->type);
        return out;
      }
      case Op::call:
        if (e.function->type != Type::null) return e.function->type;
        if (e.function->name == "ISNULL") return e.args[0]->type != Type::null ? e.args[0]->type : e.args[1]->type;
        if (e.function->name == "COALESCE") return all(0, 1);
        if (e.function->name == "NULLIF") return e.args[0]->type;
        return number(e.args[0]->type);
      case Op::cast: return e.cast.type;
      case Op::scalar_query: return e.query->types[0];
      case Op::aggregate:
        if (e.aggregate == Aggregate::count || e.aggregate == Aggregate::count_rows) return Type::integer;
        if (e.aggregate == Aggregate::min || e.aggregate == Aggregate::max) return e.args[0]->type;
        return e.args[0]->type == Type::real ? Type::real : Type::integer;
      default: return Type::bit;
    }
  }

  Result<void> insert(Statement& s) {
    TRY(const TablePtr target, table(s.table, s.at));
    if (s.columns.empty() && !s.defaults) {
      for (std::size_t i = 0; i < target->columns.size(); ++i) {
        const Role role = target->columns[i].role;
        if (role == Role::own || (role == Role::id && !target->integer_id)) s.slots.push_back(i);
      }
    }
    for (std::size_t i = 0; i < s.columns.size(); ++i) {
      TRY(const std::size_t slot, own_column(*target, s.columns[i], s.column_places[i]));
      CHECK_OK(writable(*target, slot, true, s.column_places[i]));
      if (std::find(s.slots.begin(), s.slots.end(), slot) != s.slots.end()) return fault("Column '" + s.columns[i] + "' is given twice", s.column_places[i]);
      s.slots.push_back(slot);
    }
    Scope nothing;
    Query none;
    nothing.query = &none;
    for (const std::vector<ExprPtr>& row : s.rows) {
      if (row.size() != s.slots.size()) return fault("There are more or fewer values than columns", s.at);
      for (const ExprPtr& value : row)
        if (value) CHECK_OK(expression(*value, nothing, Aggregates::refused));
    }
    if (s.query) {
      CHECK_OK(query(*s.query, nullptr));
      if (s.query->types.size() != s.slots.size()) return fault("The select gives more or fewer columns than the INSERT names", s.at);
    }
    s.load = loads.size();
    loads.push_back({target, std::vector<bool>(target->columns.size()), nullptr, 0});
    return {};
  }

  Result<void> change(Statement& s) {
    Query& q = *s.query;
    Select& from = q.selects.front();
    Scope scope{&q, &from, 0, nullptr};
    CHECK_OK(sources(scope));
    if (from.where) CHECK_OK(expression(*from.where, scope, Aggregates::refused));
    if (from.top) {
      Scope around{&q, nullptr, 0, nullptr};
      CHECK_OK(expression(*from.top, around, Aggregates::refused));
    }
    // The alias first: UPDATE a SET … FROM t AS a.
    std::optional<std::size_t> target;
    for (std::size_t i = 0; i < from.sources.size() && !target; ++i)
      if (iequals(from.sources[i].alias, s.table) && !from.sources[i].derived) target = i;
    for (std::size_t i = 0; i < from.sources.size() && !target; ++i)
      if (iequals(from.sources[i].table, s.table)) target = i;
    if (!target) return fault("Invalid object name '" + s.table + "'", s.at);
    s.target = *target;
    Load& load = loads[from.sources[s.target].load];
    load.used.assign(load.used.size(), true);  // whoever changes a row has to know it
    const TablePtr changed = load.table;       // more readings may come with the values
    std::set<std::size_t> set;
    for (Assignment& one : s.set) {
      TRY(one.slot, own_column(*changed, one.column, one.at));
      CHECK_OK(writable(*changed, one.slot, false, one.at));
      if (!set.insert(one.slot).second) return fault("Column '" + one.column + "' is set twice", one.at);
      if (one.value) CHECK_OK(expression(*one.value, scope, Aggregates::refused));
    }
    return {};
  }

  struct Deeper {
    explicit Deeper(Binder& binder) : binder(binder) { ++binder.depth_; }
    ~Deeper() { --binder.depth_; }
    Deeper(const Deeper&) = delete;
    Binder& binder;
  };
  Result<void> check_depth(Position at) const {
    if (depth_ > kMostDepth) return fault("The SQL is too deep", at);
    return {};
  }

  const Known& known_;
  const std::vector<Value>& values_;
  int depth_ = 0;
};

}  // namespace

std::size_t TableInfo::slot_of(Role role) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].role == role) return i;
  return 0;
}

std::vector<std::string> tables_of(const Statement& s) {
  std::set<std::string> out;
  if (s.kind == Statement::Kind::insert) out.insert(ascii_lower(s.table));
  if (s.query) note_tables(*s.query, out);
  for (const Assignment& one : s.set) note_tables(one.value.get(), out);
  for (const std::vector<ExprPtr>& row : s.rows)
    for (const ExprPtr& value : row) note_tables(value.get(), out);
  return {out.begin(), out.end()};
}

Result<std::vector<Load>> resolve(Statement& statement, const Known& known, const std::vector<Value>& values) {
  Binder binder(known, values);
  CHECK_OK(binder.statement(statement));
  return std::move(binder.loads);
}

bool constant(const Expr& e) {
  if (e.op == Op::column || e.op == Op::aggregate || e.query || (e.function && e.function->changes)) return false;
  return std::all_of(e.args.begin(), e.args.end(), [](const ExprPtr& arg) { return constant(*arg); });
}

}  // namespace mandate::tables::tsql
