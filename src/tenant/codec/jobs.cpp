// The member "jobs" of a service.
#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"
#include "tenant/schedule.h"

namespace mandate::tenant {

namespace {

constexpr std::int64_t kMostPeriod = 100'000, kMostTimeout = 86'400;
constexpr std::size_t kMostJobs = 500, kMostSource = 256 * 1024;

std::string path_problem(std::string_view path) {
  if (path.size() > 255 || !path.ends_with(".js")) return "must name a file of the service, as in scheduler/cleanup.js";
  for (const std::string& part : split(path, '/'))
    if (part.empty() || part == "." || part == "..") return "must not leave the service's folder";
  return {};
}

void read_times(ObjectReader& in, Job& job) {
  in.text("cron", job.cron, 400);
  if (!job.cron.empty())
    if (const Result<Cron> cron = Cron::parse(job.cron); !cron.ok()) in.problem("cron", cron.error().hint);
  in.one_of("interval_unit", job.interval_unit, {"minute", "hour", "day", "month", "year"});
  in.integer("interval_period", job.interval_period, 1, kMostPeriod);
  if (job.interval_unit.empty() && in.has("interval_period")) in.problem("interval_period", "needs interval_unit: minute, hour, day, month or year");
  if (!job.interval_unit.empty() && job.interval_period == 0) job.interval_period = 1;
  if (!job.cron.empty() && !job.interval_unit.empty()) in.problem("cron", "goes with no interval_unit: a job has one or the other");
  std::string start;
  in.text("start_time", start, 64);
  if (start.empty()) return;
  job.start_time = parse_iso8601(start).value_or(-1);
  if (job.start_time < 0) in.problem("start_time", "must be a time such as \"2030-01-31T12:00:00Z\"");
}

Job read_job(const std::string& name, const JsonObject& body, const std::string& path, Problems& problems) {
  Job job;
  job.name = name;
  if (const std::string text = table_name_problem(name); !text.empty()) problems.add(path, "the name " + text);
  ObjectReader in(body, path, problems);
  std::string status = "enabled";
  in.one_of("status", status, {"enabled", "disabled"});
  job.enabled = status == "enabled";
  read_times(in, job);
  in.one_of("missed", job.missed, {"once", "skip", "all"});
  in.integer("timeout", job.timeout, 1, kMostTimeout);
  in.text("source", job.source, kMostSource);
  if (job.source.find('\n') == std::string::npos && job.source.ends_with(".js"))
    in.problem("source", "'" + job.source.substr(0, 200) + "' is a file's name; `mandate apply` puts the file's text here");
  in.text("path", job.path);
  if (!job.path.empty())
    if (const std::string text = path_problem(job.path); !text.empty()) in.problem("path", text);
  if (!job.path.empty() && !job.source.empty()) in.problem("path", "goes with no source: the script's text comes from one place");
  in.finish();
  return job;
}

}  // namespace

void read_jobs(ObjectReader& parent, std::map<std::string, Job, std::less<>>& out) {
  const JsonObject* group = parent.object("jobs");
  if (!group) return;
  if (group->size() > kMostJobs) parent.problem("jobs", "has more than " + std::to_string(kMostJobs) + " jobs");
  ObjectReader in(*group, parent.at("jobs"), parent.problems());
  for (const auto& [key, value] : *group) {
    const std::string name(key.data(), key.size());
    if (value.is_null()) {  // nothing said: it runs when asked
      (void)in.any(name);
      out.try_emplace(ascii_lower(name), read_job(name, {}, in.at(name), parent.problems()));
    } else if (const JsonObject* body = in.object(name)) {
      if (!out.try_emplace(ascii_lower(name), read_job(name, *body, in.at(name), parent.problems())).second)
        in.problem(name, "is there twice in another case");
    }
  }
}

JsonObject write_jobs(const std::map<std::string, Job, std::less<>>& jobs) {
  const Job usual;
  JsonObject out;
  for (const auto& [lower, job] : jobs) {
    JsonObject one;
    if (!job.enabled) one["status"] = "disabled";
    put(one, "cron", job.cron);
    put(one, "interval_unit", job.interval_unit);
    if (!job.interval_unit.empty()) one["interval_period"] = job.interval_period;
    if (job.start_time) one["start_time"] = iso8601(job.start_time);
    put(one, "missed", job.missed, usual.missed);
    put(one, "timeout", job.timeout, usual.timeout);
    put(one, "source", job.source);
    put(one, "path", job.path);
    out[job.name] = std::move(one);
  }
  return out;
}

}  // namespace mandate::tenant
