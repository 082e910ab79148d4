#include "tables/jobs/script.h"

#include "base/crypto.h"

namespace mandate::tables::jobs {
namespace {

/// A job acts with administrator's rights, in the words of the first scripts.
Act act_of(const tenant::Here& here, const tenant::Service* service) {
  Act out;
  out.context.here = here;
  out.context.service = service;
  out.context.principal.level = identity::Level::admin;
  out.context.dialect = Dialect::v1;
  return out;
}

/// The binding of a run that may lose its right to run.
class JobBinding final : public scripts::Binding {
 public:
  JobBinding(std::shared_ptr<TableBinding> inner, std::function<bool()> ours) : inner_(std::move(inner)), ours_(std::move(ours)) {}

  Task<Json> invoke(std::string_view method, Json arguments) override {
    if (!ours_()) co_return Error(Code::temporarily_unavailable, "This run was given up: its service is gone, or another server has the jobs now.");
    Task<Json> asking = inner_->invoke(method, std::move(arguments));
    Result<Json> answer = co_await asking;
    co_return answer;
  }
  void console(std::string_view level, std::string_view text) override { inner_->console(level, text); }

 private:
  const std::shared_ptr<TableBinding> inner_;
  const std::function<bool()> ours_;
};

std::string file_of(const tenant::Job& job) { return job.path.empty() ? "scheduler/" + job.name + ".js" : job.path; }

std::uint64_t version_of(std::string_view source) {
  std::uint64_t out = 0;
  for (const char c : sha256(source).substr(0, 8)) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

class JobScripts final : public Scripts {
 public:
  JobScripts(scripts::Host& host, Tables& tables, ScriptLog& lines, ServiceCalls* calls, OtherCalls others)
      : host_(host), tables_(tables), lines_(lines), calls_(calls), others_(std::move(others)) {}

  Task<void> run(tenant::Here here, const tenant::Service* service, const tenant::Job* job, std::function<bool()> ours) override {
    scripts::Call call;
    if (calls_ && !calls_->prepare(call, here, *service)) {
      Task<scripts::BundlePtr> loading = calls_->load(here, service);
      CO_TRY(call.bundle, co_await loading);
    }
    call.source = job->source;
    if (call.source.empty() && call.bundle)
      if (const auto file = call.bundle->files.find(file_of(*job)); file != call.bundle->files.end()) call.source = file->second;
    if (call.source.empty()) co_return Error(Code::not_found, "The service has no file " + file_of(*job) + ".");
    call.realm = here->name + "/" + service->name;
    call.name = job_source(*job);
    call.version = version_of(call.source);
    call.kind = "job";
    call.context = to_json(JsonObject{{"function", job->name}});
    call.wall = std::chrono::seconds(job->timeout);
    const auto inner = std::make_shared<TableBinding>(act_of(here, service), call.name, tables_, lines_, &others_);
    const auto binding = std::make_shared<JobBinding>(inner, std::move(ours));
    Task<Json> running = host_.run(std::move(call), binding);
    const Result<Json> outcome = co_await running;
    if (outcome.ok()) co_return ok();
    inner->console("error", outcome.error().detail.empty() ? outcome.error().hint : outcome.error().detail);
    co_return outcome.error();
  }

 private:
  scripts::Host& host_;
  Tables& tables_;
  ScriptLog& lines_;
  ServiceCalls* calls_;
  const OtherCalls others_;
};

}  // namespace

std::string job_source(const tenant::Job& job) { return "/" + file_of(job); }

std::unique_ptr<Scripts> make_job_scripts(scripts::Host& host, Tables& tables, ScriptLog& lines, ServiceCalls* calls, OtherCalls others) {
  return std::make_unique<JobScripts>(host, tables, lines, calls, std::move(others));
}

}  // namespace mandate::tables::jobs
