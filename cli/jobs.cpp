#include "jobs.h"

#include <cstdio>

namespace mandate::cli {

namespace {

std::string text(const JsonObject& object, std::string_view name) { return std::string(text_member(object, name).value_or("")); }

/// The first line of what went wrong, without anything that a terminal would obey.
std::string first_line(std::string_view error) {
  const std::string words = to_json(Json(std::string(error.substr(0, std::min(error.find('\n'), std::size_t{200})))));
  return words.substr(1, words.size() - 2);
}

std::string line_of_run(const JsonObject& run) {
  std::string out = text(run, "due") + "  " + text(run, "job") + "  " + text(run, "state");
  if (const Json* seconds = run.if_contains("seconds"); seconds && seconds->is_number()) {
    char took[32];
    std::snprintf(took, sizeof took, " in %.1f s", seconds->to_number<double>());
    out += took;
  }
  if (text(run, "reason") == "asked") out += "  (asked for)";
  if (run.contains("error")) out += "  " + first_line(text(run, "error"));
  return out + "\n";
}

template <class Each>
std::string lines(const JsonObject& answer, std::string_view list, Each each) {
  std::string out;
  if (const Json* rows = answer.if_contains(list); rows && rows->is_array())
    for (const Json& row : rows->get_array())
      if (row.is_object()) out += each(row.get_object());
  return out;
}

}  // namespace

std::string show_jobs(const JsonObject& answer) {
  const std::string out = lines(answer, "jobs", [](const JsonObject& job) {
    const std::string schedule = text(job, "schedule");
    std::string line = text(job, "job") + "  " + (schedule.empty() ? "when asked" : schedule);
    if (!bool_member(job, "enabled").value_or(true)) line += "  (disabled)";
    if (job.contains("next")) line += "  next " + text(job, "next");
    line += "\n";
    if (const Json* last = job.if_contains("last"); last && last->is_object()) line += "    last: " + line_of_run(last->get_object());
    return line;
  });
  return out.empty() ? "No jobs.\n" : out;
}

std::string show_job_runs(const JsonObject& answer) {
  const std::string out = lines(answer, "runs", line_of_run);
  return out.empty() ? "No runs.\n" : out;
}

}  // namespace mandate::cli
