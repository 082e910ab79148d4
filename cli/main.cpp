// mandate: the owner's command. It knows only the wire, and talks to mandated over the owner's Unix socket.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <thread>

#include "base/config.h"
#include "base/url.h"
#include "base/yaml.h"
#include "import.h"
#include "jobs.h"
#include "move.h"
#include "owner_socket.h"
#include "push.h"
#include "service.h"
#include "show.h"
#include "tenant_file.h"
#include "upgrade.h"

namespace mandate::cli {

namespace {

constexpr int kRefused = 1, kUnreachable = 3;

/// Each line of the hint after the command's name, so that many problems read as a list.
int complain(const Error& error) {
  for (const std::string& line : split(error.hint, '\n')) std::cerr << "mandate: " << line << "\n";
  if (error.hint.empty()) std::cerr << "mandate: " << name(error.code) << "\n";
  return error.code == Code::temporarily_unavailable ? kUnreachable : kRefused;
}

struct Arguments {
  std::string from, to, schema;
  std::string row, key, claims;  ///< of `mandate rules`
  PushArguments push;
  ServiceArguments on;  ///< of `mandate service`
  ImportArguments import;
  std::string socket, tenant, file, output, master_key_file, service = "default", table, operation, client, target, user, alg, job, source;
  std::vector<std::string> command;
  int wait = 120;
  std::int64_t days = -1;
  bool socket_named = false;
  bool dry_run = false, secrets = false, follow = false, revoke = false, json = false, explain = false;
};

std::string default_socket() {
  const char* named = std::getenv("MANDATE_SOCKET");
  return named && *named ? named : "./var/admin.sock";
}

void with(std::string& target, std::string_view name, const std::string& value) {
  if (!value.empty()) append_query(target, name, value);
}

/// Prints an answer as JSON when asked for, else for people.
template <class Show>
int print(const Arguments& a, const Result<Json>& answer, Show show) {
  if (!answer.ok()) return complain(answer.error());
  if (a.json)
    std::cout << to_json(*answer) << "\n";
  else if (answer->is_object())
    std::cout << show(answer->get_object());
  return 0;
}

int apply(const Arguments& a) {
  const Result<Json> file = read_tenant_file(a.file);
  if (!file.ok()) return complain(file.error());
  std::string target = "/admin/apply";
  if (a.dry_run) append_query(target, "dry_run", "true");
  return print(a, OwnerSocket(a.socket).ask("POST", target, to_json(*file)), show_applied);
}

/// Writes the file; one with secrets is for its owner alone, also when it was there before with other rights (KS-2).
bool write_file(const std::string& path, std::string_view text, bool secret) {
  const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, secret ? 0600 : 0666);
  if (out < 0) return false;
  struct stat about{};
  const bool regular = ::fstat(out, &about) == 0 && S_ISREG(about.st_mode);
  bool good = !regular || ((!secret || ::fchmod(out, 0600) == 0) && ::ftruncate(out, 0) == 0);
  while (good && !text.empty()) {
    const ssize_t written = ::write(out, text.data(), text.size());
    good = written > 0 || (written < 0 && errno == EINTR);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::close(out) == 0 && good;
}

int export_file(const Arguments& a) {
  std::string target = "/admin/export";
  Result<Json> answer = Error(Code::server_error);
  if (a.secrets) {
    Result<std::string> key = read_file(a.master_key_file, 1024);
    if (!key.ok()) return complain(key.error());
    while (!key->empty() && (key->back() == '\n' || key->back() == '\r')) key->pop_back();
    answer = OwnerSocket(a.socket).ask("POST", target, to_json(JsonObject{{"tenant", a.tenant}, {"master_key", *key}}));
  } else {
    with(target, "tenant", a.tenant);
    answer = OwnerSocket(a.socket).ask("GET", target);
  }
  if (!answer.ok()) return complain(answer.error());
  const std::string text = a.json ? to_json(*answer) + "\n" : to_yaml(*answer);
  if (a.output.empty()) {
    std::cout << text;
    return 0;
  }
  return write_file(a.output, text, a.secrets) ? 0 : complain(Error(Code::bad_request, a.output + " cannot be written"));
}

int check(const Arguments& a) {
  const Result<Json> answer = OwnerSocket(a.socket).ask("GET", "/admin/check");
  if (const int failed = print(a, answer, show_check)) return failed;
  return bool_member(answer->get_object(), "sound").value_or(false) ? 0 : kRefused;
}

/// Its address.
std::string script_target(const Arguments& a) {
  std::string target = "/admin/scripts/" + percent_encode(a.service) + "/" + percent_encode(a.table) + "/" + percent_encode(a.operation);
  with(target, "tenant", a.tenant);
  return target;
}

int script_put(const Arguments& a) {
  const Result<std::string> source = read_file(a.file, 256 * 1024);
  if (!source.ok()) return complain(source.error());
  return print(a, OwnerSocket(a.socket).ask("PUT", script_target(a), *source, "text/javascript"), [](const JsonObject& answer) {
    return show_scripts(JsonObject{{"scripts", JsonArray{answer}}});
  });
}

int script_get(const Arguments& a) {
  const Result<Answer> answer = OwnerSocket(a.socket).send("GET", script_target(a));
  if (!answer.ok()) return complain(answer.error());
  if (answer->status != 200) return complain(refusal(*answer));
  std::cout << answer->body;
  return 0;
}

int script_delete(const Arguments& a) {
  return print(a, OwnerSocket(a.socket).ask("DELETE", script_target(a)), [](const JsonObject&) { return std::string("Deleted.\n"); });
}

int script_list(const Arguments& a) {
  std::string target = "/admin/scripts";
  with(target, "tenant", a.tenant);
  return print(a, OwnerSocket(a.socket).ask("GET", target), show_scripts);
}

int script_logs(const Arguments& a) {
  // Lines come by time, the first millisecond included: those of it that were shown already are counted off.
  std::int64_t since = 0, shown = 0;
  while (true) {
    std::string target = "/admin/logs";
    with(target, "tenant", a.tenant);
    with(target, "service", a.on.service);
    with(target, "source", !a.source.empty() ? a.source : a.table.empty() || a.operation.empty() ? "" : "/table/" + a.table + "." + a.operation + ".js");
    with(target, "since", std::to_string(since));
    const Result<Json> answer = OwnerSocket(a.socket).ask("GET", target);
    if (!answer.ok()) return complain(answer.error());
    const Json* lines = answer->is_object() ? answer->get_object().if_contains("lines") : nullptr;
    std::int64_t skip = shown;
    if (lines && lines->is_array())
      for (const Json& line : lines->get_array()) {
        if (!line.is_object()) continue;
        const std::int64_t at = integer_member(line.get_object(), "at").value_or(0);
        if (at == since && skip > 0) {
          --skip;
          continue;
        }
        std::cout << (a.json ? to_json(line) + "\n" : show_log_line(line.get_object()));
        shown = at == since ? shown + 1 : 1;
        since = at;
      }
    std::cout.flush();
    if (!a.follow) return 0;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

int service_deploy(const Arguments& a) { return print(a, deploy_service(OwnerSocket(a.socket), a.on), show_deployed); }
int service_rollback(const Arguments& a) { return print(a, roll_back_service(OwnerSocket(a.socket), a.on), show_deployed); }
int service_list(const Arguments& a) { return print(a, list_services(OwnerSocket(a.socket), a.on), show_services); }
int service_version_list(const Arguments& a) { return print(a, service_versions(OwnerSocket(a.socket), a.on), show_versions); }
int service_create(const Arguments& a) { return print(a, create_service(OwnerSocket(a.socket), a.on), show_created); }
int service_delete(const Arguments& a) {
  return print(a, delete_service(OwnerSocket(a.socket), a.on), [](const JsonObject&) { return std::string("Deleted.\n"); });
}
int service_key(const Arguments& a) { return print(a, rotate_service_key(OwnerSocket(a.socket), a.on), show_key); }
int service_pull(const Arguments& a) { return print(a, pull_service(OwnerSocket(a.socket), a.on), show_pulled); }
int service_types(const Arguments& a) {
  return print(a, write_service_types(OwnerSocket(a.socket), a.on), [](const JsonObject& told) { return "Written: " + std::string(text_member(told, "file").value_or("")) + "\n"; });
}
int service_watch(const Arguments& a) { return watch_service(OwnerSocket(a.socket), a.on); }

int explain_delegation(const Arguments& a) {
  std::string target = "/admin/delegation/explain";
  with(target, "tenant", a.tenant);
  with(target, "client", a.client);
  with(target, "target", a.target);
  with(target, "user", a.user);
  return print(a, OwnerSocket(a.socket).ask("GET", target), [](const JsonObject& answer) { return to_yaml(answer); });
}

int explain_rules(const Arguments& a) {
  std::string target = "/admin/rules/explain";
  with(target, "tenant", a.tenant);
  with(target, "service", a.service);
  with(target, "table", a.table);
  with(target, "operation", a.operation);
  with(target, "user", a.user);
  with(target, "id", a.row);
  with(target, "key", a.key);
  with(target, "claims", a.claims);
  return print(a, OwnerSocket(a.socket).ask("GET", target), [](const JsonObject& answer) { return to_yaml(answer); });
}

int rotate_keys(const Arguments& a) {
  JsonObject body{{"revoke", a.revoke}};
  if (!a.tenant.empty()) body["tenant"] = a.tenant;
  if (!a.alg.empty()) body["alg"] = a.alg;
  return print(a, OwnerSocket(a.socket).ask("POST", "/admin/keys/rotate", to_json(body)), show_keys);
}

int push_send(const Arguments& a) {
  const Result<std::string> body = push_body(a.push, a.tenant, a.service);
  if (!body.ok()) return complain(body.error());
  return print(a, OwnerSocket(a.socket).ask("POST", "/admin/push", *body), show_filed);
}

int push_list(const Arguments& a) {
  std::string target = a.push.registrations ? "/admin/push/registrations" : "/admin/push";
  with(target, "tenant", a.tenant);
  with(target, "service", a.service);
  return print(a, OwnerSocket(a.socket).ask("GET", target), show_push);
}

int job_list(const Arguments& a) {
  std::string target = "/admin/jobs";
  with(target, "tenant", a.tenant);
  with(target, "service", a.service);
  return print(a, OwnerSocket(a.socket).ask("GET", target), show_jobs);
}

int job_run(const Arguments& a) {
  JsonObject body{{"service", a.service}, {"job", a.job}};
  if (!a.tenant.empty()) body["tenant"] = a.tenant;
  return print(a, OwnerSocket(a.socket).ask("POST", "/admin/jobs/run", to_json(body)), show_filed);
}

int job_history(const Arguments& a) {
  std::string target = "/admin/jobs/runs";
  with(target, "tenant", a.tenant);
  with(target, "service", a.service);
  with(target, "job", a.job);
  return print(a, OwnerSocket(a.socket).ask("GET", target), show_job_runs);
}

/// A piece at a time: others write meanwhile.
int table_purge(const Arguments& a) {
  JsonObject body{{"service", a.service}, {"table", a.table}};
  if (!a.tenant.empty()) body["tenant"] = a.tenant;
  if (a.days >= 0) body["days"] = a.days;
  std::int64_t rows = 0;
  for (;;) {
    const Result<Json> answer = OwnerSocket(a.socket).ask("POST", "/admin/tables/purge", to_json(body));
    if (!answer.ok()) return complain(answer.error());
    rows += integer_member(answer->get_object(), "rows").value_or(0);
    if (!bool_member(answer->get_object(), "more").value_or(false)) break;
  }
  const std::string text = a.json ? to_json(JsonObject{{"rows", rows}}) : std::to_string(rows) + " deleted rows removed for good.";
  std::cout << text << "\n";
  return 0;
}

int import_rows(const Arguments& a) {
  const Result<Json> answer = import_files(OwnerSocket(a.socket), a.import);
  if (const int failed = print(a, answer, show_imported)) return failed;
  return integer_member(answer->get_object(), "refused").value_or(0) == 0 ? 0 : kRefused;
}

int status(const Arguments& a) { return print(a, OwnerSocket(a.socket).ask("GET", "/admin/status"), show_status); }

int move_data(const Arguments& a) { return move({a.from, a.to, a.schema, a.socket_named ? a.socket : ""}); }

int explain_config(const std::vector<std::string>& flags) {
  const Result<Config> config = Config::load(flags, Config::process_environment());
  if (!config.ok()) return complain(config.error());
  std::cout << config->explain();
  return 0;
}

using Act = int (*)(const Arguments&);
using MakeCommand = std::function<CLI::App*(CLI::App& parent, const char* name, const char* what, Act act)>;

/// `mandate service …`
void add_service_commands(CLI::App& app, Arguments& a, const MakeCommand& command) {
  CLI::App* services = app.add_subcommand("service", "mobile services and their folders");
  services->require_subcommand(1);
  services->fallthrough();
  const auto add = [&](const char* name, const char* what, Act act) {
    CLI::App* one = command(*services, name, what, act);
    one->add_option("--tenant", a.on.tenant, "which tenant, when there are several");
    return one;
  };
  const auto of_service = [&](CLI::App* one) {
    one->add_option("--service", a.on.service, "which service; default: default");
    return one;
  };
  const auto with_folder = [&](CLI::App* one) {
    one->add_option("DIR", a.on.directory, "the service's folder, or the one with service/ in it")->required();
    return of_service(one);
  };
  CLI::App* sub = with_folder(add("deploy", "make a folder the service's next version", service_deploy));
  sub->add_option("--note", a.on.note, "a word about it, kept with the version");
  sub->add_flag("--dry-run", a.on.dry_run, "only show the difference");
  with_folder(add("watch", "deploy a folder, and again at each change", service_watch));
  sub = with_folder(add("pull", "write the version that runs into a folder", service_pull));
  sub->add_option("--version", a.on.version, "another version")->check(CLI::PositiveNumber);
  sub->add_flag("--force", a.on.force, "over changes that are not deployed");
  with_folder(add("types", "write mandate.d.ts: the service's tables, for editors and tsc", service_types));
  add("list", "all services", service_list);
  of_service(add("versions", "what was deployed", service_version_list));
  sub = of_service(add("rollback", "run an earlier version again", service_rollback));
  sub->add_option("VERSION", a.on.version, "default: the one before")->check(CLI::PositiveNumber);
  sub->add_flag("--dry-run", a.on.dry_run, "only show the difference");
  sub = add("create", "make a service; its keys are shown once", service_create);
  sub->add_option("NAME", a.on.name, "letters a-z, digits and '-'")->required();
  sub->add_option("--host", a.on.hosts, "a host name of its own; more than once for several");
  sub->add_option("--prefix", a.on.prefix, "a path of its own beside /s/NAME");
  sub = add("delete", "take a service away", service_delete);
  sub->add_option("NAME", a.on.name, "which one")->required();
  sub->add_flag("--force", a.on.force, "its tables too, with all rows");
  CLI::App* keys = services->add_subcommand("keys", "the keys that apps and tools show");
  keys->require_subcommand(1);
  keys->fallthrough();
  sub = of_service(command(*keys, "rotate", "a new key, shown once; the one before counts a while longer", service_key));
  sub->add_option("--tenant", a.on.tenant, "which tenant, when there are several");
  sub->add_option("KEY", a.on.key, "application, master or v2")->required()->check(CLI::IsMember({"application", "master", "v2"}));
  sub->add_option("--overlap", a.on.overlap, "how long the one before counts: 24h, 30m, 7d, 0")->capture_default_str();
}

/// `mandate import`
void add_import_command(CLI::App& app, Arguments& a, const MakeCommand& command) {
  ImportArguments& on = a.import;
  CLI::App* sub = command(app, "import", "rows of CSV, bcp, JSON lines and SQLite files, with their ids, versions and times", import_rows);
  sub->add_option("FILE", on.files, "one or several; what they are is told by what they hold")->required();
  sub->add_option("--tenant", on.tenant, "which tenant, when there are several");
  sub->add_option("--service", on.service, "which service")->capture_default_str();
  sub->add_option("--table", on.table, "as in TodoItem")->required();
  sub->add_flag("--dry-run", on.dry_run, "only say what would happen, and what is wrong with the files");
  sub->add_flag("--replace", on.replace, "also over rows that are newer here, or may be: the file has no updatedAt");
  sub->add_flag("--new-times", on.new_times, "updatedAt is now: clients that are at work already hear of every row");
  sub->add_flag("--new-ids", on.new_ids, "give an id to rows without one; given twice, the command makes them twice");
  sub->add_flag("--skip-bad", on.skip_bad, "leave out rows that cannot be taken, and go on");
  sub->add_option("--format", on.rows.format, "csv, bcp (character form), jsonl or sqlite")->check(CLI::IsMember({"csv", "bcp", "jsonl", "sqlite"}));
  sub->add_option("--delimiter", on.rows.delimiter, "between fields: one character, or tab");
  sub->add_option("--header", on.rows.header, "names of the columns, by commas, of a file without them");
  sub->add_option("--null", on.rows.null_word, "a word that means nothing, beside an empty field, as in NULL");
  sub->add_option("--rename", on.renamed, "FROM=TO: a column has another name here")->take_all()->allow_extra_args(false);
  sub->add_option("--leave-out", on.rows.left_out, "a column of the file that is not wanted")->allow_extra_args(false);
  sub->add_option("--type", on.types, "COLUMN=TYPE of a column that the table lacks, as in done=boolean")->allow_extra_args(false);
  sub->add_option("--source-table", on.rows.source_table, "SQLite: the table's name there");
}

int run(int argc, char** argv) {
  CLI::App app{"The owner's command for mandated."};
  app.require_subcommand(1);
  Arguments a;
  a.socket = default_socket();
  int result = 0;
  const auto* socket = app.add_option("--socket", a.socket, "the server's owner socket (MANDATE_SOCKET)")->capture_default_str();
  app.add_flag("--json", a.json, "print answers as JSON");

  const auto command = [&](CLI::App& parent, const char* name, const char* what, int (*act)(const Arguments&)) {
    CLI::App* sub = parent.add_subcommand(name, what);
    sub->fallthrough();
    sub->callback([&a, &result, act] { result = act(a); });
    return sub;
  };
  const auto tenant_option = [&](CLI::App* sub) { sub->add_option("--tenant", a.tenant, "which tenant, when there are several"); };

  CLI::App* sub = command(app, "apply", "bring a tenant to what its file says", apply);
  sub->add_option("FILE", a.file, "YAML or JSON")->required();
  sub->add_flag("--dry-run", a.dry_run, "only show the difference");

  sub = command(app, "export", "write a tenant's file", export_file);
  tenant_option(sub);
  sub->add_option("-o,--output", a.output, "file to write; default: standard output");
  auto* key = sub->add_option("--master-key-file", a.master_key_file, "the server's master key, to get secrets");
  sub->add_flag("--with-secrets", a.secrets, "secrets too, in plain text")->needs(key);

  command(app, "check", "read every page and index and the audit chain", check);
  command(app, "status", "what the server serves", status);

  sub = app.add_subcommand("move", "move all data from SQLite to PostgreSQL, or back");
  sub->fallthrough();
  sub->add_option("--from", a.from, "where the data is: sqlite:DIRECTORY or postgres://…")->required();
  sub->add_option("--to", a.to, "where it shall be, an empty place")->required();
  sub->add_option("--store-schema", a.schema, "PostgreSQL's schema; default: mandate");
  sub->callback([&] {
    a.socket_named = socket->count() > 0 || std::getenv("MANDATE_SOCKET") != nullptr;
    result = move_data(a);
  });

  sub = app.add_subcommand("upgrade", "start another mandated, which takes over from the one that runs");
  sub->add_option("--wait", a.wait, "seconds until it must serve")->capture_default_str()->check(CLI::Range(1, 3600));
  sub->add_option("COMMAND", a.command, "after --: the new program and its options")->required();
  sub->callback([&] { result = upgrade(a.command, std::chrono::seconds(a.wait)); });

  CLI::App* scripts = app.add_subcommand("script", "table scripts");
  scripts->require_subcommand(1);
  scripts->fallthrough();
  const auto script_command = [&](const char* name, const char* what, int (*act)(const Arguments&), bool needs_name) {
    CLI::App* one = command(*scripts, name, what, act);
    tenant_option(one);
    one->add_option("--service", a.service, "which service")->capture_default_str();
    one->add_option("TABLE", a.table, "as in TodoItem")->required(needs_name);
    one->add_option("OPERATION", a.operation, "insert, read, update or delete")->required(needs_name);
    return one;
  };
  sub = script_command("put", "put a script in place", script_put, true);
  sub->add_option("FILE", a.file, "the JavaScript file")->required();
  script_command("get", "print a script", script_get, true);
  script_command("delete", "take a script away", script_delete, true);
  sub = command(*scripts, "list", "all scripts", script_list);
  tenant_option(sub);
  sub = script_command("logs", "what scripts wrote to their console", script_logs, false);
  sub->add_flag("-f,--follow", a.follow, "go on as lines come");

  sub = command(app, "logs", "what scripts, APIs and jobs wrote to their console, and how they failed", script_logs);
  tenant_option(sub);
  sub->add_option("--service", a.on.service, "only this one");
  sub->add_option("--source", a.source, "only this file, as in /table/TodoItem.insert.js");
  sub->add_flag("-f,--follow", a.follow, "go on as lines come");

  add_service_commands(app, a, command);
  add_import_command(app, a, command);

  CLI::App* push = app.add_subcommand("push", "messages to devices");
  push->require_subcommand(1);
  push->fallthrough();
  const auto push_command = [&](const char* name, const char* what, int (*act)(const Arguments&)) {
    CLI::App* one = command(*push, name, what, act);
    tenant_option(one);
    one->add_option("--service", a.service, "which service")->capture_default_str();
    return one;
  };
  sub = push_command("send", "send a message", push_send);
  sub->add_option("--tags", a.push.tags, "an expression: a && !(b || c); default: everybody");
  sub->add_option("--user", a.push.user, "the devices of one user");
  sub->add_option("--platform", a.push.platform, "payload is native: apns, gcm, wns or webpush");
  sub->add_option("--payload", a.push.payload, "JSON: properties for templates, or native; text for wns");
  sub->add_option("--title", a.push.title, "with --body: a message for every platform");
  sub->add_option("--body", a.push.body, "its text");
  sub = push_command("list", "what became of messages, or who is registered", push_list);
  sub->add_flag("--registrations", a.push.registrations, "who is registered");

  CLI::App* table = app.add_subcommand("table", "rows of a table");
  table->require_subcommand(1);
  table->fallthrough();
  sub = command(*table, "purge", "remove for good what was deleted long ago", table_purge);
  tenant_option(sub);
  sub->add_option("--service", a.service, "which service")->capture_default_str();
  sub->add_option("--older-than", a.days, "days since the delete; default: what the table keeps")->check(CLI::Range(0, 36500));
  sub->add_option("TABLE", a.table, "as in TodoItem")->required();

  CLI::App* jobs = app.add_subcommand("jobs", "what services do by themselves");
  jobs->require_subcommand(1);
  jobs->fallthrough();
  const auto job_command = [&](const char* name, const char* what, int (*act)(const Arguments&)) {
    CLI::App* one = command(*jobs, name, what, act);
    tenant_option(one);
    one->add_option("--service", a.service, "which service")->capture_default_str();
    return one;
  };
  job_command("list", "jobs, when they are due, what became of their last runs", job_list);
  job_command("run", "have a job run now", job_run)->add_option("JOB", a.job, "as in cleanup")->required();
  job_command("history", "runs of the last two weeks", job_history)->add_option("JOB", a.job, "one job's; default: all");

  CLI::App* delegation = app.add_subcommand("delegation", "who may trade whose token for what");
  delegation->require_subcommand(1);
  delegation->fallthrough();
  sub = command(*delegation, "explain", "why a delegation is granted or refused", explain_delegation);
  tenant_option(sub);
  sub->add_option("--client", a.client, "the calling client")->required();
  sub->add_option("--target", a.target, "the target client")->required();
  sub->add_option("--user", a.user, "the user_id");

  CLI::App* rules = app.add_subcommand("rules", "who may see and change which rows");
  rules->require_subcommand(1);
  rules->fallthrough();
  sub = command(*rules, "explain", "the levels, owner and rules of an operation, and what they say of a row", explain_rules);
  tenant_option(sub);
  sub->add_option("--service", a.service, "which service")->capture_default_str();
  sub->add_option("--table", a.table, "as in TodoItem")->required();
  sub->add_option("--operation", a.operation, "read, insert, update, delete or undelete; default: read");
  sub->add_option("--user", a.user, "the user_id; default: nobody");
  sub->add_option("--id", a.row, "a row to judge");
  sub->add_option("--key", a.key, "application or master: a key that is shown as well");
  sub->add_option("--claims", a.claims, "claims of the token, a JSON object");

  CLI::App* keys = app.add_subcommand("keys", "signing keys");
  keys->require_subcommand(1);
  keys->fallthrough();
  sub = command(*keys, "rotate", "next becomes current, current previous", rotate_keys);
  tenant_option(sub);
  sub->add_option("--alg", a.alg, "RS256, PS256 or ES256; default all the tenant has");
  sub->add_flag("--revoke", a.revoke, "the current key is in wrong hands: tokens it signed are void at once");

  CLI::App* config = app.add_subcommand("config", "the options of mandated");
  config->add_flag("--explain", a.explain, "print the table of options and their values");
  config->allow_extras();
  config->callback([&] { result = explain_config(config->remaining()); });

  CLI11_PARSE(app, argc, argv);
  return result;
}

}  // namespace

}  // namespace mandate::cli

int main(int argc, char** argv) {
  try {
    return mandate::cli::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "mandate: " << e.what() << "\n";
    return 1;
  }
}
