#include "import.h"

#include <unistd.h>

#include <chrono>
#include <iostream>

#include "base/plain.h"
#include "base/url.h"

namespace mandate::cli {
namespace {

/// Rows of one request, a few milliseconds of the server's loop to read; it would take 1,000 and 8 MB.
constexpr std::size_t kMostRows = 500, kMostText = 1 << 20;
/// One row as JSON, whose texts may be longer there than in the file.
constexpr std::size_t kLongestRow = 4 << 20;

struct Counts {
  std::int64_t rows = 0, inserted = 0, updated = 0, kept = 0, same = 0, refused = 0;

  void add(const Counts& other) {
    rows += other.rows, inserted += other.inserted, updated += other.updated, kept += other.kept, same += other.same, refused += other.refused;
  }
  JsonObject json() const {
    return {{"rows", rows}, {"inserted", inserted}, {"updated", updated}, {"kept", kept}, {"same", same}, {"refused", refused}};
  }
};

std::int64_t number(const JsonObject& object, std::string_view name) { return integer_member(object, name).value_or(0); }

/// A line on a terminal that is written over; nothing where no person looks on.
class Progress {
 public:
  Progress(const std::string& file, const RowFile& rows) : file_(plain(file)), rows_(rows) {}
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
        if (stopped) return {};
        behind = last_ + 1;
        return Error(read.error().code, file_ + ": " + read.error().hint);
      }
      more = *read;
      if (more) last_ = row.line;
      std::string text;
      if (more) append_json(text, row.item);
      const bool long_row = text.size() > kLongestRow;
      if (!more || long_row || in_batch == kMostRows || batch.size() + text.size() > kMostText) CHECK_OK(send(batch, in_batch));
      if (stopped || !more) break;
      if (in_batch == 0) behind = row.line;
      if (long_row) refuse(row.line, "The row is longer than 4 MB.");
      else batch += (in_batch++ ? ",[" : "[") + std::to_string(row.line) + "," + text + "]";
    }
    return {};
  }

  Counts counts;
  std::set<std::string> columns;
  bool stopped = false;
  std::int64_t behind = 0;  ///< every row before that line is in, where it could be taken
  bool lost = false;        ///< of rows from there on nobody knows

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
    TRY(const Json answer, ask(body));
    take(answer.get_object(), static_cast<std::int64_t>(in_batch));
    if (const Json* failure = answer.get_object().if_contains("failure"); failure && failure->is_object()) {
      behind = number(failure->get_object(), "line");
      lost = true;
      return Error(Code::upstream_error, file_ + ":" + std::to_string(behind) + ": " + std::string(text_member(failure->get_object(), "message").value_or("")));
    }
    batch.clear();
    in_batch = 0;
    progress_.show(counts.rows);
    return {};
  }

  /// Whoever refuses has written nothing; of a request that failed otherwise once it was on its way nobody knows.
  Result<Json> ask(const std::string& body) {
    const Result<Answer> answer = server_.send("POST", "/admin/tables/import", body, "application/json");
    if (!answer.ok()) {
      lost = answer.error().code != Code::temporarily_unavailable;
      return Error(answer.error().code, file_ + ": " + answer.error().hint);
    }
    if (answer->status < 200 || answer->status > 299) {
      lost = answer->status < 400 || answer->status >= 500;
      const Error why = refusal(*answer);
      return Error(why.code, file_ + ": " + why.hint);
    }
    Result<Json> parsed = parse_json(answer->body);
    if (parsed.ok() && parsed->is_object()) return parsed;
    lost = true;
    return Error(Code::upstream_error, file_ + ": the server's answer is none");
  }

  void tell(std::int64_t line, std::string_view why) {
    progress_.clear();
    std::cerr << plain(file_) << ":" << line << ": " << plain(why) << "\n";
  }

  /// A row that is not even sent.
  void refuse(std::int64_t line, std::string_view why) {
    counts.add({1, 0, 0, 0, 0, 1});
    stopped = !a_.skip_bad && !a_.dry_run;
    behind = line;
    tell(line, why);
  }

  void take(const JsonObject& answer, std::int64_t sent) {
    counts.add({sent, number(answer, "inserted"), number(answer, "updated"), number(answer, "kept"), number(answer, "same"), number(answer, "refused")});
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
    if (stopped) behind = last;
    if (const std::int64_t more = number(answer, "refused") - told; more > 0) tell(last, "and " + std::to_string(more) + " more rows after it");
  }

  const OwnerSocket& server_;
  const ImportArguments& a_;
  const std::string& file_;
  RowFile& rows_;
  Progress progress_;
  std::int64_t last_ = 0;  ///< line that was read last
};

std::string told(const Counts& counts) {
  return std::to_string(counts.inserted) + " rows inserted, " + std::to_string(counts.updated) + " updated";
}

/// Rows that get an id come twice when they are sent twice.
std::string how_to_go_on(bool new_ids, std::int64_t behind, bool lost) {
  if (!new_ids) return "the same command may be given again";
  const std::string rest = lost ? "which of the others are, nobody knows: look, and continue with those that are not" : "continue with the others";
  return "rows before line " + std::to_string(behind) + " are in, " + rest + "; the same command would make rows without an id twice";
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
  std::int64_t behind = 0;
  for (const std::string& file : a.files) {
    Result<std::unique_ptr<RowFile>> rows = open_rows(file, a.rows);
    Result<void> sent;
    Counts counts;
    bool lost = false;
    behind = 1;
    if (rows.ok()) {
      Sending sending(server, a, file, **rows);
      sent = sending.all();
      counts = sending.counts;
      stopped = sending.stopped;
      behind = sending.behind;
      lost = sending.lost && !a.dry_run;
      columns.merge(sending.columns);
    } else {
      const bool named = rows.error().hint.starts_with(file);
      sent = Error(rows.error().code, named ? rows.error().hint : file + ": " + rows.error().hint);
    }
    all.add(counts);
    if (!sent.ok()) {
      const bool wrote = !a.dry_run && all.inserted + all.updated > 0;
      std::string more;
      if (wrote) more = "before that: " + told(all) + (lost ? ", and perhaps some more; " : "; ");
      else if (lost) more = "some rows may be in; ";
      return Error(sent.error().code, plain(sent.error().hint) + (wrote || lost ? "\n" + more + how_to_go_on(a.new_ids, behind, lost) : ""));
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
  if (stopped) out["next_line"] = behind;
  out["new_ids"] = a.new_ids;
  return Json(std::move(out));
}

std::string show_imported(const JsonObject& answer) {
  const bool dry = bool_member(answer, "dry_run").value_or(false);
  const auto count = [&](std::string_view name) { return std::to_string(number(answer, name)); };
  std::string out = dry ? "Would be inserted: " + count("inserted") + ", updated: " + count("updated") : "Inserted: " + count("inserted") + ", updated: " + count("updated");
  if (number(answer, "same")) out += ", the same already: " + count("same");
  if (number(answer, "kept")) out += ", newer here and left alone (--replace writes them): " + count("kept");
  if (number(answer, "refused")) out += ", refused: " + count("refused");
  out += "\n";
  std::string names;
  if (const Json* columns = answer.if_contains("columns"); columns && columns->is_array())
    for (const Json& name : columns->get_array())
      if (name.is_string()) names += (names.empty() ? "" : ", ") + plain(view(name.get_string()));
  if (!names.empty()) out += (dry ? "New columns would be: " : "New columns: ") + names + "\n";
  if (!bool_member(answer, "stopped").value_or(false)) return out;
  if (bool_member(answer, "new_ids").value_or(false))
    out += "Stopped there: " + how_to_go_on(true, number(answer, "next_line"), false) + ".\n";
  else
    out += "Stopped there: mend the row and give the command again, or leave such rows out with --skip-bad.\n";
  return out;
}

}  // namespace mandate::cli
