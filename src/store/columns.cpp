#include "store/columns.h"

#include <strings.h>

#include <algorithm>
#include <cstring>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"

namespace mandate::store {
namespace {

constexpr std::pair<Type, std::string_view> kTypes[] = {{Type::boolean, "boolean"}, {Type::integer, "integer"}, {Type::real, "real"},
                                                        {Type::text, "text"},       {Type::date, "date"},       {Type::json, "json"}};

ColumnSpec column_of(const Row& row) {
  ColumnSpec spec;
  spec.name = row.text("name");
  spec.type = type_named(row.text("type"));
  spec.unique = row.boolean("is_unique");
  spec.index = row.boolean("is_indexed");
  spec.dictionary = row.boolean("is_dictionary");
  return spec;
}

}  // namespace

std::string_view name_of(Type type) {
  for (const auto& [known, word] : kTypes)
    if (known == type) return word;
  return "text";
}

Type type_named(std::string_view word) {
  for (const auto& [type, known] : kTypes)
    if (known == word) return type;
  return Type::text;
}

Result<void> check_name(const std::string& name) {
  if (name.empty() || name.size() > 256 || std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20; }))
    return Error(Code::invalid_request, "Not a usable name.");
  for (const char* reserved : {"sqlite_", "mandate_"})
    if (::strncasecmp(name.c_str(), reserved, std::strlen(reserved)) == 0) return Error(Code::invalid_request, "The name is reserved.");
  return {};
}

bool others_stay(const std::vector<IndexSpec>& specs) {
  return std::any_of(specs.begin(), specs.end(), [](const IndexSpec& spec) { return spec.columns.empty(); });
}

bool passes(const Error& error) {
  return error.code == Code::overloaded || error.code == Code::timeout || error.code == Code::read_only || error.code == Code::temporarily_unavailable;
}

std::string index_name(const std::string& table, const IndexSpec& spec) {
  std::string whole = table + (spec.unique ? "\nu" : "\ni");
  for (std::size_t i = 0; i < spec.columns.size(); ++i)
    whole += '\n' + ascii_lower(spec.columns[i]) + (i < spec.dictionary.size() && spec.dictionary[i] ? "~" : "");
  return std::string(kIndexPrefix) + to_hex(sha256(whole)).substr(0, 32);
}

Error not_unique(const IndexSpec& spec, const Error& cause) {
  std::string names;
  for (const std::string& name : spec.columns) names += (names.empty() ? "" : ", ") + name;
  return Error(Code::conflict, std::move(names), cause.detail);
}

Task<std::vector<ColumnSpec>> columns_written_down(Store& store, std::string table, Deadline deadline) {
  Plan plan;
  plan.table = "mandate_columns";
  plan.select = {"name", "type", "is_unique", "is_indexed", "is_dictionary"};
  plan.where = equals("table_name", std::move(table));
  plan.order = {{column("position"), false}};
  plan.deadline = deadline;
  Task<std::vector<Row>> reading = rows(store, std::move(plan));
  CO_TRY(const std::vector<Row> written, co_await reading);
  std::vector<ColumnSpec> columns;
  for (const Row& row : written) columns.push_back(column_of(row));
  co_return std::move(columns);
}

}  // namespace mandate::store
