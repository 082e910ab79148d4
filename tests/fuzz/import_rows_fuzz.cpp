// Files of rows from anywhere: CSV, bcp and JSON lines, in UTF-8 and UTF-16. What is read of a CSV, written out with every field
// quoted, reads the same; cells become values or are refused.
#include "import/guess.h"
#include "import/rows.h"
#include "tables/importing/cells.h"
#include "tables/shape.h"

using namespace mandate;

namespace {

const tables::Schema& items() {
  static const std::shared_ptr<const tables::Schema> schema = [] {
    tenant::Service service;
    service.name = "default";
    tenant::Table table;
    table.name = "items";
    table.soft_delete = true;
    table.columns = {{.name = "done", .type = "boolean"}, {.name = "n", .type = "integer"}, {.name = "due", .type = "datetime"}, {.name = "day", .type = "date"},
                     {.name = "key", .type = "guid"}, {.name = "bytes", .type = "binary"}, {.name = "doc", .type = "json"}, {.name = "at", .type = "point"}, {.name = "r", .type = "number"}};
    service.tables["items"] = table;
    return tables::expected_schema(service, service.tables["items"]);
  }();
  return *schema;
}

using Records = std::vector<std::vector<cli::CsvField>>;

/// Nothing when the text is none.
std::optional<Records> records_of(std::string_view text, cli::CsvShape shape) {
  cli::Csv csv(cli::bytes_of(text), shape);
  Records out;
  std::vector<cli::CsvField> record;
  for (;;) {
    const auto more = csv.next(record);
    if (!more.ok()) return std::nullopt;
    if (!*more) return out;
    out.push_back(record);
  }
}

std::string written(const Records& records) {
  std::string out;
  for (const auto& record : records) {
    for (std::size_t i = 0; i < record.size(); ++i) {
      out += i ? ",\"" : "\"";
      for (const char c : record[i].text) out += c == '"' ? "\"\"" : std::string(1, c);
      out += '"';
    }
    out += '\n';
  }
  return out;
}

void read_all(cli::RowFile& rows) {
  cli::FileRow row;
  for (;;) {
    const auto more = rows.next(row);
    if (!more.ok() || !*more) return;
    tables::importing::Import one;
    one.rows.push_back({row.line, row.item});
    one.texts = rows.texts();
    (void)tables::importing::columns_wanted(items(), false, one);
    (void)tables::importing::ready(items(), false, one.rows.front(), one.texts, 1'700'000'000'000);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto records = records_of(text, {})) {
    const auto again = records_of(written(*records), {});
    if (!again || again->size() != records->size()) __builtin_trap();
    for (std::size_t i = 0; i < records->size(); ++i) {
      if ((*records)[i].size() != (*again)[i].size()) __builtin_trap();
      for (std::size_t j = 0; j < (*records)[i].size(); ++j) {
        if ((*records)[i][j].text != (*again)[i][j].text) __builtin_trap();
        cli::Guess guess;
        guess.see((*records)[i][j].text);
        (void)guess.type();
      }
    }
  }
  for (const bool bcp : {false, true}) {
    cli::RowsOptions options;
    if (bcp) options.header = "id,done,n,due,updatedAt,version";
    auto rows = cli::read_csv_rows(cli::bytes_of(text), {bcp ? '\t' : cli::delimiter_of(text), !bcp}, bcp, options);
    if (rows.ok()) read_all(**rows);
  }
  const auto lines = cli::read_json_lines(cli::bytes_of(text), {});
  read_all(*lines);
  return 0;
}
