#include "tables/jobs/door.h"

#include "base/url.h"
#include "jose/jwt.h"
#include "tenant/service_rules.h"

namespace mandate::tables::jobs {
namespace {

using http::Response;

Response refusal(int status, std::string_view text) {
  return Response::json(status, JsonObject{{"code", status}, {"error", "Error: " + std::string(text)}});
}

Response error_of(const Error& error, const http::Request& request) {
  const int status = http_status(error.code);
  if (status < 500) return refusal(status, error.hint.empty() ? http::reason(status) : std::string_view(error.hint));
  return refusal(status, "Something went wrong here; the log has it under request " + request.id + ".");
}

/// Thread-safe; lives as long as its route.
class Door {
 public:
  explicit Door(const DoorDeps& deps)
      : deps_(deps), keys_(deps.tenants, &deps.clock),
        asked_(deps.metrics.counter("mandate_jobs_asked_total", "Runs of jobs that somebody asked for at the door.")),
        refused_(deps.metrics.counter("mandate_jobs_refused_total", "Requests to run a job refused with 401.")) {}

  Task<Response> enter(http::Request& request) {
    CO_TRY(const tenant::Here here, deps_.tenants.by_host(request.host));
    const tenant::Service* service = here->service_of(request);
    if (!service) co_return refusal(404, "Not Found");
    Task<Response> asking = ask(here, *service, request);
    Result<Response> answer = co_await asking;
    if (!answer.ok() && http_status(answer.error().code) >= 500)
      deps_.log.error("jobs.asking_failed", {{"request_id", request.id}, {"code", name(answer.error().code)}, {"detail", answer.error().detail}});
    Response response = answer.ok() ? std::move(answer).value() : error_of(answer.error(), request);
    co_return response.no_store();
  }

 private:
  Task<Response> ask(tenant::Here here, const tenant::Service& service, http::Request& request) {
    if (auto refused = tenant::refused_at_door(service, request)) co_return std::move(*refused);
    const std::string wanted = request.params.at(0);
    CO_TRY(bool allowed, by_token(service, wanted, request));
    if (!allowed) {
      // A token that is there and not good is refused on every route, whatever else is shown (4.3).
      Task<identity::Principal> identify = deps_.bearers.identify(here, service, request);
      const Result<identity::Principal> who = co_await identify;
      if (!who.ok() && http_status(who.error().code) >= 500) co_return who.error();
      CO_TRY(const identity::KeysShown keys, keys_.shown(service, request));
      allowed = who.ok() && keys.master;
      if (!allowed) {
        refused_.add();
        co_return refusal(401, who.ok() || who.error().hint.empty() ? std::string_view("Unauthorized") : std::string_view(who.error().hint));
      }
    }
    const tenant::Job* job = service.job(wanted);
    if (!job) co_return refusal(404, "Not Found");
    Task<std::string> filing = deps_.desk.ask(*here.store, service.name, *job);
    const Result<std::string> filed = co_await filing;
    if (!filed.ok()) co_return filed.error();
    asked_.add();
    co_return Response(200);
  }

  Result<bool> by_token(const tenant::Service& service, std::string_view job, const http::Request& request) {
    const std::string_view token = request.headers.get("X-ZUMO-AUTH");
    if (token.empty() || service.system_key_sealed.empty()) return false;
    TRY(const Secret key, deps_.tenants.vault().unseal(service.system_key_sealed, tenant::sealed::service(service.name, "system_key")));
    return !key.empty() && is_cron_token(token, key.reveal(), service.name, job, deps_.clock.now_seconds());
  }

  DoorDeps deps_;
  identity::ShownKeys keys_;
  Counter &asked_, &refused_;
};

}  // namespace

bool is_cron_token(std::string_view token, std::string_view system_key, std::string_view service, std::string_view job, std::int64_t now) {
  const auto parts = jose::parse_compact(token, jose::KidForm::text_or_number);
  if (!parts.ok() || parts->alg != jose::Alg::HS256 || !jose::verify(*parts, identity::zumo_key(system_key))) return false;
  const Result<Json> json = parse_json(parts->payload);
  if (!json.ok() || !json->is_object()) return false;
  const JsonObject& claims = json->get_object();
  const auto exp = integer_member(claims, "exp");
  if (!exp || now >= *exp) return false;
  return text_member(claims, "uid") == "cron" && text_member(claims, "urn:microsoft:appid") == service &&
         iequals(text_member(claims, "urn:microsoft:scope").value_or(""), job);
}

void mount(http::Routes& routes, const DoorDeps& deps) {
  const auto door = std::make_shared<Door>(deps);
  http::RouteOptions options;
  options.metric = "/jobs/{job}";
  options.body_limit = 64 << 10;
  routes.post("/jobs/{job}", [door](http::Request& request) { return door->enter(request); }, options);
}

}  // namespace mandate::tables::jobs
