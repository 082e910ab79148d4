// Jobs at the desk: which there are, what became of their runs, and one more run.
#include <charconv>

#include "base/url.h"
#include "management/desk.h"
#include "tables/jobs/scheduler.h"
#include "tenant/schedule.h"

namespace mandate::management {

namespace {

constexpr std::int64_t kMostRuns = 500, kUsualRuns = 50;

Error none() { return Error(Code::not_found, "Jobs are not part of this server."); }

/// 0 for what is no number.
std::int64_t number_of(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : 0;
}

Result<const tenant::Service*> service_of(const tenant::Here& here, std::string_view name) {
  const auto found = here->services.find(name.empty() ? tenant::kDefaultService : name);
  if (found == here->services.end()) return Error(Code::not_found, "There is no service '" + std::string(name.substr(0, 80)) + "'.");
  return &found->second;
}

JsonObject shown(const tenant::Job& job, const std::vector<tables::jobs::Time>& times, const std::string& service) {
  JsonObject out{{"job", job.name}, {"enabled", job.enabled}, {"schedule", tenant::schedule_text(job)}, {"missed", job.missed}, {"timeout", job.timeout}};
  for (const tables::jobs::Time& time : times)
    if (time.service == service && time.job == ascii_lower(job.name) && time.next_at && time.schedule == tenant::schedule_text(job))
      out["next"] = iso8601(time.next_at);
  return out;
}

}  // namespace

Task<http::Response> get_jobs(Deps& deps, http::Request& request) {
  if (!deps.jobs) co_return none();
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const tenant::Here here, tenant_of(deps, query.get("tenant")));
  CO_TRY(const tenant::Service* service, service_of(here, query.get("service")));
  Task<std::vector<tables::jobs::Time>> looking = tables::jobs::times(*here.store);
  CO_TRY(const std::vector<tables::jobs::Time> times, co_await looking);
  JsonArray list;
  for (const auto& [lower, job] : service->jobs) {
    JsonObject one = shown(job, times, service->name);
    Task<std::vector<store::Row>> reading = tables::jobs::history(*here.store, service->name, lower, 1);
    CO_TRY(const std::vector<store::Row> last, co_await reading);
    if (!last.empty()) one["last"] = tables::jobs::shown(last.front());
    list.push_back(std::move(one));
  }
  co_return http::Response::json(200, JsonObject{{"jobs", std::move(list)}});
}

Task<http::Response> post_job_run(Deps& deps, http::Request& request) {
  if (!deps.jobs) co_return none();
  CO_TRY(const http::Params params, http::Params::of(request));
  CO_TRY(const tenant::Here here, tenant_of(deps, params.get("tenant")));
  CO_TRY(const tenant::Service* service, service_of(here, params.get("service")));
  const tenant::Job* job = service->job(params.get("job"));
  if (!job) co_return Error(Code::not_found, "There is no job '" + std::string(params.get("job").substr(0, 80)) + "'.");
  Task<std::string> asking = deps.jobs->ask(*here.store, service->name, *job);
  CO_TRY(const std::string id, co_await asking);
  co_return http::Response::json(202, JsonObject{{"id", id}});
}

Task<http::Response> get_job_runs(Deps& deps, http::Request& request) {
  if (!deps.jobs) co_return none();
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const tenant::Here here, tenant_of(deps, query.get("tenant")));
  CO_TRY(const tenant::Service* service, service_of(here, query.get("service")));
  std::int64_t most = kUsualRuns;
  if (query.has("top")) most = number_of(query.get("top"));
  if (most < 1 || most > kMostRuns) co_return Error(Code::invalid_request, "top must be 1 to " + std::to_string(kMostRuns));
  Task<std::vector<store::Row>> reading = tables::jobs::history(*here.store, service->name, ascii_lower(query.get("job")), most);
  CO_TRY(const std::vector<store::Row> runs, co_await reading);
  JsonArray list;
  for (const store::Row& run : runs) list.push_back(tables::jobs::shown(run));
  co_return http::Response::json(200, JsonObject{{"runs", std::move(list)}});
}

}  // namespace mandate::management
