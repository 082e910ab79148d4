#include "tables/expand.h"

#include <bit>
#include <set>
#include <unordered_map>

#include "tables/app_acts.h"
#include "tables/permissions.h"

namespace mandate::tables {
namespace {

/// Ids of one statement.
constexpr std::size_t kPiece = 512, kMostExpansions = 8;

std::string text_of(const store::Value& id) {
  if (const auto* text = std::get_if<std::string>(&id)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&id)) return std::to_string(*number);
  return {};
}

using Found = std::unordered_map<std::string, std::string>;

Error too_large() { return Error(Code::payload_too_large, "The answer is too large. Ask for fewer items with $top, or without $expand."); }

/// Bytes of an answer with rows within rows.
std::size_t most_of(const Tables::Impl& impl) { return 2 * impl.page_bytes; }

/// The rows of one relation by id, as JSON. `held`: bytes of all that was found so far; each will be in the answer.
Task<Found> rows_of(Tables::Impl& impl, OperationContext context, const Expansion& expansion, std::size_t& held) {
  Task<Related> look = related(impl, context, *expansion.relation);
  CO_TRY(const Related other, co_await look);
  identity::KeysShown keys;
  keys.application = context.application_key;
  CO_CHECK(check_permission(*other.table, Operation::read, keys, context.principal));
  std::vector<store::Value> ids;
  std::set<std::string> seen;
  for (const store::Value& id : expansion.ids)
    if (!store::is_null(id) && seen.insert(text_of(id)).second) ids.push_back(id);
  Found out;
  auto projection = std::make_shared<Projection>(whole_row(*other.schema, context.dialect, context.system));
  const std::size_t key = projection->source_of(system_column::kId);
  for (std::size_t at = 0; at < ids.size(); at += kPiece) {
    const std::size_t size = std::min(kPiece, ids.size() - at);
    // One of few lengths, the last id more than once, so that few statements serve.
    std::vector<store::ExprPtr> args{store::column(std::string(system_column::kId), other.schema->integer_id ? store::Type::integer : store::Type::text)};
    for (std::size_t i = 0; i < std::bit_ceil(size); ++i) args.push_back(store::literal(ids[at + std::min(i, size - 1)]));
    store::Plan plan;
    plan.table = other.schema->physical;
    plan.select = projection->select;
    plan.where = store::both(store::make(store::Op::in, std::move(args)), other.reach.visible);
    if (other.schema->soft_delete && !context.include_deleted)
      plan.where = store::both(plan.where, store::equals(std::string(system_column::kDeleted), false));
    plan.owner = other.reach.owner;
    plan.most_bytes = impl.page_bytes;
    plan.deadline = context.deadline;
    std::function<bool(const store::RowView&)> each = [&](const store::RowView& row) {
      std::string& text = out[text_of(row.value(key))];
      append_row(text, *projection, row);
      held += text.size();
      return held <= most_of(impl);
    };
    Task<store::Store::Listed> list = context.here.store->list(std::move(plan), std::move(each));
    CO_TRY(const store::Store::Listed listed, co_await list);
    if (listed.cut || held > most_of(impl)) co_return too_large();
  }
  co_return std::move(out);
}

}  // namespace

Result<std::vector<Expansion>> expansions_of(const OperationContext& context, const Schema& schema, const std::vector<std::string>& names, Projection& projection) {
  std::vector<Expansion> out;
  if (names.size() > kMostExpansions) return Error(Code::bad_request, "Too many names in '$expand'.");
  for (const std::string& name : names) {
    const Relation* relation = schema.relation(name);
    if (!relation) return Error(Code::bad_request, "There is no relation '" + name + "' to expand.");
    for (const Expansion& each : out)
      if (each.relation == relation) return Error(Code::bad_request, "The relation '" + name + "' is expanded twice.");
    const tenant::Table* other = context.service->table(relation->table);
    if (other && is_read_through_code(*context.service, *other) && context.principal.level != identity::Level::admin)
      return Error(Code::bad_request, "The relation '" + name + "' cannot be expanded: '" + other->name + "' is read through a script. Ask for it by itself.");
    const store::ColumnSpec* column = schema.own(relation->column);
    if (!column) return Error(Code::server_error, "", "a relation without its column");
    out.push_back({relation, projection.source_of(column->name)});
  }
  return out;
}

Task<void> expand(Tables::Impl& impl, OperationContext context, std::vector<Expansion> expansions, std::string& json, std::vector<std::size_t> ends) {
  std::vector<Found> found;
  std::size_t held = 0;
  for (const Expansion& expansion : expansions) {
    Task<Found> read = rows_of(impl, context, expansion, held);
    CO_TRY(Found rows, co_await read);
    found.push_back(std::move(rows));
  }
  std::string out;
  std::size_t from = 0;
  for (std::size_t row = 0; row < ends.size(); ++row) {
    out.append(json, from, ends[row] - from);
    for (std::size_t i = 0; i < expansions.size(); ++i) {
      if (out.back() != '{') out += ',';
      append_json_string(out, expansions[i].relation->name);
      out += ':';
      const auto there = found[i].find(text_of(expansions[i].ids[row]));
      out += there == found[i].end() || store::is_null(expansions[i].ids[row]) ? std::string_view("null") : std::string_view(there->second);
    }
    from = ends[row];
    // Many rows may show the same one: what is found is no bound for what is written.
    if (out.size() > most_of(impl)) co_return too_large();
  }
  out.append(json, from);
  json = std::move(out);
  co_return ok();
}

}  // namespace mandate::tables
