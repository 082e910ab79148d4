#include "tables/projection.h"

#include <charconv>

#include "base/base64.h"
#include "base/url.h"

namespace mandate::tables {
namespace {

using store::Type;

/// One face for the kinds of row.
struct Viewed {
  const store::RowView& row;
  bool null(std::size_t i) const { return row.null(i); }
  std::int64_t integer(std::size_t i) const { return row.integer(i); }
  double real(std::size_t i) const { return row.real(i); }
  std::string_view text(std::size_t i) const { return row.text(i); }
};

struct Kept {
  const store::Row& row;
  const Projection& projection;
  bool null(std::size_t i) const { return row.null(projection.select[i]); }
  std::int64_t integer(std::size_t i) const { return row.integer(projection.select[i]); }
  double real(std::size_t i) const { return row.real(projection.select[i]); }
  std::string_view text(std::size_t i) const { return row.text(projection.select[i]); }
};

/// A kept row whose cells are in the order of the projection.
struct Ordered {
  const store::Row& row;
  bool null(std::size_t i) const { return store::is_null(row.cell(i)); }
  std::int64_t integer(std::size_t i) const {
    const store::Value& cell = row.cell(i);
    if (const auto* b = std::get_if<bool>(&cell)) return *b;
    if (const auto* d = std::get_if<double>(&cell)) return static_cast<std::int64_t>(*d);
    const auto* n = std::get_if<std::int64_t>(&cell);
    return n ? *n : 0;
  }
  double real(std::size_t i) const {
    const auto* d = std::get_if<double>(&row.cell(i));
    return d ? *d : static_cast<double>(integer(i));
  }
  std::string_view text(std::size_t i) const {
    const auto* s = std::get_if<std::string>(&row.cell(i));
    return s ? std::string_view(*s) : std::string_view();
  }
};

void append_integer(std::string& out, std::int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

/// Texts and JSON are kept as they are written; what is kept as a number is not.
bool by_meaning(Type type) { return type == Type::date || type == Type::integer; }

template <class Row>
void append_cell(std::string& out, const Shown& shown, const Row& row) {
  const std::size_t i = shown.source;
  if (row.null(i)) {
    out += shown.role == Role::deleted ? "false" : "null";  // clients that sync cannot read a null here
    return;
  }
  if (shown.role == Role::version) {
    out += '"';
    out += wire_version(row.integer(i));
    out += '"';
    return;
  }
  if (shown.meaning && by_meaning(shown.type)) {
    const std::string text = odata::write_as(*shown.meaning, store::Value(row.integer(i)));
    if (text.empty()) out += "null";  // a name that the configuration does not have any more
    else append_json_string(out, text);
    return;
  }
  switch (shown.type) {
    case Type::boolean: out += row.integer(i) != 0 ? "true" : "false"; break;
    case Type::integer: append_integer(out, row.integer(i)); break;
    case Type::real: append_json_number(out, row.real(i)); break;
    case Type::date:
      out += '"';
      append_iso8601(out, row.integer(i));
      out += '"';
      break;
    case Type::json: out += row.text(i); break;
    default: append_json_string(out, row.text(i));
  }
}

template <class Row>
void append(std::string& out, const Projection& projection, const Row& row) {
  char separator = '{';
  for (const Shown& shown : projection.shown) {
    if (shown.quiet && row.null(shown.source)) continue;
    out += separator;
    separator = ',';
    out += shown.key;
    append_cell(out, shown, row);
  }
  out += separator == '{' ? "{}" : "}";
}

template <class Row>
Json cell_of(const Shown& shown, const Row& row) {
  const std::size_t i = shown.source;
  if (row.null(i)) return shown.role == Role::deleted ? Json(false) : Json(nullptr);
  if (shown.role == Role::version) return Json(boost::json::string(wire_version(row.integer(i))));
  if (shown.meaning && by_meaning(shown.type)) {
    const std::string text = odata::write_as(*shown.meaning, store::Value(row.integer(i)));
    return text.empty() ? Json(nullptr) : Json(boost::json::string(text));
  }
  switch (shown.type) {
    case Type::boolean: return Json(row.integer(i) != 0);
    case Type::integer: return Json(row.integer(i));
    case Type::real: return Json(row.real(i));
    case Type::date: return Json(boost::json::string(iso8601(row.integer(i))));
    case Type::json: {
      auto parsed = parse_json(row.text(i));
      return parsed.ok() ? std::move(parsed).value() : Json(nullptr);
    }
    default: return Json(boost::json::string(row.text(i)));
  }
}

template <class Row>
JsonObject object_of(const Projection& projection, const Row& row) {
  JsonObject out;
  for (const Shown& shown : projection.shown)
    if (!shown.quiet || !row.null(shown.source)) out[shown.name] = cell_of(shown, row);
  return out;
}

/// Whether nulls of an own column stay out of the dialect's answers.
bool is_quiet(const Schema& schema, Dialect dialect, const Field& field) {
  if (!is_datasync(dialect) || field.role != Role::own) return false;
  const bool plain = field.type == Type::boolean || field.type == Type::real || field.type == Type::integer;
  return plain && !schema.declaration(field.column);
}

void show_own(Projection& out, const Schema& schema, Dialect dialect, std::string name, const Field& field) {
  out.show(std::move(name), field);
  out.shown.back().quiet = is_quiet(schema, dialect, field);
}

void show_system(Projection& out, const Schema& schema, Dialect dialect, const SystemProperties& system) {
  struct Property {
    bool wanted;
    std::string_view v1, v2;
  };
  const Property properties[] = {{system.created, "__createdAt", "createdAt"},
                                 {system.updated, "__updatedAt", "updatedAt"},
                                 {system.version, "__version", "version"},
                                 {system.deleted, "__deleted", "deleted"}};
  for (const Property& p : properties) {
    const std::string_view name = dialect == Dialect::v1 ? p.v1 : p.v2;
    if (!p.wanted && dialect == Dialect::v1) continue;
    if (dialect == Dialect::v4 && p.v2 == "createdAt") continue;
    if (const auto field = schema.resolve(dialect, name)) out.show(std::string(name), *field);
  }
}

}  // namespace

std::size_t Projection::source_of(std::string_view column) {
  for (std::size_t i = 0; i < select.size(); ++i)
    if (select[i] == column) return i;
  select.emplace_back(column);
  return select.size() - 1;
}

void Projection::show(std::string name, const Field& field) {
  Shown s;
  append_json_string(s.key, name);
  s.key += ':';
  s.name = std::move(name);
  s.source = source_of(field.column);
  s.type = field.type;
  s.role = field.role;
  s.meaning = field.meaning;
  shown.push_back(std::move(s));
}

Projection whole_row(const Schema& schema, Dialect dialect, const SystemProperties& system) {
  Projection out;
  out.show("id", *schema.resolve(dialect, "id"));
  if (dialect != Dialect::v1) show_system(out, schema, dialect, system);
  for (const store::ColumnSpec& column : schema.columns) {
    // Outside V1 an app's own column named like a system property stays out of sight.
    const auto field = schema.resolve(dialect, column.name);
    if (field && field->role == Role::own) show_own(out, schema, dialect, column.name, *field);
  }
  if (dialect == Dialect::v1) show_system(out, schema, dialect, system);
  return out;
}

std::shared_ptr<const Projection> whole_row_of(const Schema& schema, Dialect dialect, const SystemProperties& system) {
  const bool usual = dialect != Dialect::v1 || system == SystemProperties{};
  if (const auto& kept = schema.whole[static_cast<std::size_t>(dialect)]; kept && usual) return kept;
  auto made = std::make_shared<Projection>(whole_row(schema, dialect, system));
  made->source_of(system_column::kUpdated);
  return made;
}

Projection selected(const Schema& schema, Dialect dialect, const SystemProperties& system, const std::vector<std::string>& names) {
  Projection out;
  for (const std::string& name : names) {
    const auto field = schema.resolve(dialect, name);
    if (!field || (dialect == Dialect::v1 && field->role != Role::own && field->role != Role::id)) continue;
    const bool twice = std::any_of(out.shown.begin(), out.shown.end(), [&](const Shown& s) { return s.name == name; });
    if (!twice) show_own(out, schema, dialect, name, *field);
  }
  if (dialect == Dialect::v1) show_system(out, schema, dialect, system);
  return out;
}

Projection sent_members(const Schema& schema, const SystemProperties& system, const std::vector<std::string>& sent) {
  Projection out;
  out.show("id", *schema.resolve(Dialect::v1, "id"));
  for (const std::string& name : sent)
    if (const auto field = schema.resolve(Dialect::v1, name); field && field->role == Role::own) out.show(name, *field);
  show_system(out, schema, Dialect::v1, system);
  return out;
}

void append_row(std::string& out, const Projection& p, const store::RowView& row) { append(out, p, Viewed{row}); }
void append_row(std::string& out, const Projection& p, const store::Row& row) { append(out, p, Ordered{row}); }
JsonObject to_object(const Projection& p, const store::RowView& row) { return object_of(p, Viewed{row}); }
JsonObject to_object(const Projection& p, const store::Row& row) { return object_of(p, Kept{row, p}); }

}  // namespace mandate::tables
