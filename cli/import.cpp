#include "import.h"

#include <unistd.h>

#include <chrono>
#include <iostream>

#include "base/url.h"

namespace mandate::cli {
namespace {

/// Rows of one request, a few milliseconds of the server's loop to read; it would take 1,000 and 8 MB.
constexpr std::size_t kMostRows = 500, kMostText = 1 << 20;
/// One row as JSON, whose texts may be longer there than in the file.
constexpr std::size_t kLongestRow = 4 << 20;

struct Counts {
  std::int64_t rows = 0, inserted = 0, updated = 0, kept = 0, refused = 0;

  void add(const Counts& other) {
    rows += other.rows, inserted += other.inserted, updated += other.updated, kept += other.kept, refused += other.refused;
  }
  JsonObject json() const { return {{"rows", rows}, {"inserted", inserted}, {"updated", updated}, {"kept", kept}, {"refused", refused}}; }
};

std::int64_t number(const JsonObject& object, std::string_view name) { return integer_member(object, name).value_or(0); }

/// A line on a terminal that is written over; nothing where no person looks on.
class Progress {
 public:
  Progress(std::string file, const RowFile& rows) : file_(std::move(file)), rows_(rows) {}
  ~Progress() { clear(); }
  void show(std::int64_t rows) {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(500);
    std::cerr << '\r' << file_ << "  " << rows << " rows";
    if (rows_.size() > 0) std::cerr << "  " << rows_.done() * 100 / rows_.size() << " %";
    std::cerr << "\x1b[K" << std::flush;
    shown_ = true;
  }
  void clear() {
    if (shown_) std::cerr << "\r\x1b[K" << std::flush;
    shown_ = false;
  }

 private:
  std::string file_;
  const RowFile& rows_;
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
};

Result<void> read_pairs(const std::vector<std::string>& given, std::string_view option, std::map<std::string, std::string>& out) {
  for (const std::string& pair : given) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == pair.size())
      return Error(Code::bad_request, std::string(option) + " must be NAME=VALUE, not '" + pair + "'");
    out[ascii_lower(pair.substr(0, equals))] = pair.substr(equals + 1);
  }
  return {};
}

/// One file on its way.
class Sending {
 public:
  Sending(const OwnerSocket& server, const ImportArguments& a, const std::string& file, RowFile& rows)
      : server_(server), a_(a), file_(file), rows_(rows), progress_(file, rows) {}

  Result<void> all() {
    std::string batch;
    std::size_t in_batch = 0;
    FileRow row;
    for (bool more = true; more && !stopped;) {
      Result<bool> read = rows_.next(row);
      // What was read before goes out all the same.
      if (!read.ok()) {
        CHECK_OK(send(batch, in_batch));
        return Error(read.error().code, file_ + ": " + read.error().hint);
      }
      more = *read;
      std::string text;
      if (more) append_json(text, row.item);
      const bool long_row = text.size() > kLongestRow;
      if (!more || long_row || in_batch == kMostRows || batch.size() + text.size() > kMostText) CHECK_OK(send(batch, in_batch));
      if (stopped || !more) break;
      if (long_row) refuse(row.line, "The row is longer than 4 MB.");
      else batch += (in_batch++ ? ",[" : "[") + std::to_string(row.line) + "," + text + "]";
    }
    return {};
  }

  Counts counts;
  std::set<std::string> columns;
  bool stopped = false;

 private:
  Result<void> send(std::string& batch, std::size_t& in_batch) {
    if (in_batch == 0) return {};
    JsonObject types;
    for (const auto& [name, type] : rows_.types()) types[name] = type;
    JsonObject head{{"service", a_.service},     {"table", a_.table},       {"types", std::move(types)},  {"texts", rows_.texts()},
                    {"replace", a_.replace},     {"restamp", a_.new_times}, {"new_ids", a_.new_ids},      {"skip_bad", a_.skip_bad || a_.dry_run},
                    {"dry_run", a_.dry_run}};
    if (!a_.tenant.empty()) head["tenant"] = a_.tenant;
    std::string body = to_json(head);
    body.pop_back();
    body += ",\"rows\":[" + batch + "]}";
    const Result<Json> answer = server_.ask("POST", "/admin/tables/import", body);
    if (!answer.ok()) return Error(answer.error().code, file_ + ": " + answer.error().hint);
    if (!answer->is_object()) return Error(Code::upstream_error, "the server's answer is none");
    take(answer->get_object(), static_cast<std::int64_t>(in_batch));
    batch.clear();
    in_batch = 0;
    progress_.show(counts.rows);
    return {};
  }

  void tell(std::int64_t line, std::string_view why) {
    progress_.clear();
    std::cerr << file_ << ":" << line << ": " << why << "\n";
  }

  /// A row that is not even sent.
  void refuse(std::int64_t line, std::string_view why) {
    counts.add({1, 0, 0, 0, 1});
    stopped = !a_.skip_bad && !a_.dry_run;
    tell(line, why);
  }

  void take(const JsonObject& answer, std::int64_t sent) {
    counts.add({sent, number(answer, "inserted"), number(answer, "updated"), number(answer, "kept"), number(answer, "refused")});
    stopped = bool_member(answer, "stopped").value_or(false);
    if (const Json* made = answer.if_contains("columns"); made && made->is_array())
      for (const Json& name : made->get_array())
        if (name.is_string()) columns.emplace(view(name.get_string()));
    const Json* faults = answer.if_contains("faults");
    if (!faults || !faults->is_array() || faults->get_array().empty()) return;
    std::int64_t last = 0, told = 0;
    for (const Json& fault : faults->get_array()) {
      if (!fault.is_object()) continue;
      last = number(fault.get_object(), "line"), ++told;
      tell(last, text_member(fault.get_object(), "message").value_or(""));
    }
    if (const std::int64_t more = number(answer, "refused") - told; more > 0) tell(last, "and " + std::to_string(more) + " more rows after it");
  }

  const OwnerSocket& server_;
  const ImportArguments& a_;
  const std::string& file_;
  RowFile& rows_;
  Progress progress_;
};

std::string told(const Counts& counts) {
  return std::to_string(counts.inserted) + " rows inserted, " + std::to_string(counts.updated) + " updated";
}

}  // namespace

Result<Json> import_files(const OwnerSocket& server, ImportArguments a) {
  CHECK_OK(read_pairs(a.renamed, "--rename", a.rows.renamed));
  CHECK_OK(read_pairs(a.types, "--type", a.rows.types));
  if (a.rows.source_table.empty()) a.rows.source_table = a.table;
  Counts all;
  std::set<std::string> columns;
  JsonArray files;
  bool stopped = false;
  for (const std::string& file : a.files) {
    Result<std::unique_ptr<RowFile>> rows = open_rows(file, a.rows);
    Result<void> sent;
    Counts counts;
    if (rows.ok()) {
      Sending sending(server, a, file, **rows);
      sent = sending.all();
      counts = sending.counts;
      stopped = sending.stopped;
      columns.merge(sending.columns);
    } else {
      const bool named = rows.error().hint.starts_with(file);
      sent = Error(rows.error().code, named ? rows.error().hint : file + ": " + rows.error().hint);
    }
    all.add(counts);
    if (!sent.ok()) {
      const bool wrote = !a.dry_run && all.inserted + all.updated > 0;
      // Of a request that nobody answered nobody knows.
      const bool lost = !a.dry_run && sent.error().code == Code::upstream_error;
      const std::string before = wrote ? "before that: " + told(all) + "; " : "some rows may be in; ";
      return Error(sent.error().code, sent.error().hint + (wrote || lost ? "\n" + before + "the same command may be given again" : ""));
    }
    JsonObject one = counts.json();
    one["file"] = file;
    files.push_back(std::move(one));
    if (stopped) break;
  }
  JsonObject out = all.json();
  out["files"] = std::move(files);
  JsonArray names;
  for (const std::string& name : columns) names.emplace_back(name);
  out["columns"] = std::move(names);
  out["dry_run"] = a.dry_run;
  out["stopped"] = stopped;
  return Json(std::move(out));
}

std::string show_imported(const JsonObject& answer) {
  const bool dry = bool_member(answer, "dry_run").value_or(false);
  const auto count = [&](std::string_view name) { return std::to_string(number(answer, name)); };
  std::string out = dry ? "Would be inserted: " + count("inserted") + ", updated: " + count("updated") : "Inserted: " + count("inserted") + ", updated: " + count("updated");
  if (number(answer, "kept")) out += ", newer here and left alone: " + count("kept");
  if (number(answer, "refused")) out += ", refused: " + count("refused");
  out += "\n";
  std::string names;
  if (const Json* columns = answer.if_contains("columns"); columns && columns->is_array())
    for (const Json& name : columns->get_array())
      if (name.is_string()) names += (names.empty() ? "" : ", ") + std::string(view(name.get_string()));
  if (!names.empty()) out += (dry ? "New columns would be: " : "New columns: ") + names + "\n";
  if (bool_member(answer, "stopped").value_or(false)) out += "Stopped there: mend the row and give the command again, or leave such rows out with --skip-bad.\n";
  return out;
}

}  // namespace mandate::cli
