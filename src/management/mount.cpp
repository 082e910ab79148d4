#include "management/mount.h"

#include "management/desk.h"
#include "tables/code/folder.h"

namespace mandate::management {

namespace {

/// The endpoint's task, kept alive by this coroutine's frame.
Task<http::Response> guarded(Deps& deps, Endpoint endpoint, http::Request& request) {
  if (!request.local_admin) {
    const Error stranger(Code::insufficient_scope, "This address answers on the owner's socket only.");
    co_return error_answer(stranger, request);
  }
  Task<http::Response> work = endpoint(deps, request);
  Result<http::Response> answer = co_await work;
  if (!answer.ok()) {
    const Error& error = answer.error();
    if (http_status(error.code) >= 500)
      deps.log.error("management.failed", {{"path", request.path}, {"request", request.id}, {"code", name(error.code)}, {"detail", error.detail}});
    http::Response refused = error_answer(error, request);
    co_return refused.no_store();
  }
  co_return answer->no_store();
}

std::string_view status_word(int status) {
  const std::string_view word = http::reason(status);
  return word.empty() ? "Error" : word;
}

}  // namespace

http::Response error_answer(const Error& error, const http::Request& request) {
  const int status = http_status(error.code);
  std::string message = error.hint;
  if (status >= 500 && error.code != Code::temporarily_unavailable) message = "Something went wrong here; the log has it under request " + request.id + ".";
  if (message.empty()) message = std::string(status_word(status));
  return http::Response::json(status, JsonObject{{"statusCode", status},
                                                 {"error", status_word(status)},
                                                 {"message", message},
                                                 {"errorCode", name(error.code)}});
}

http::Handler owner_only(Deps& deps, Endpoint endpoint) {
  return [&deps, endpoint](http::Request& request) { return guarded(deps, endpoint, request); };
}

Result<tenant::Here> tenant_of(const Deps& deps, std::string_view name) {
  if (!name.empty()) return deps.tenants.by_name(name);
  const std::vector<std::string> names = deps.tenants.names();
  if (names.size() == 1) return deps.tenants.by_name(names.front());
  if (names.empty()) return Error(Code::not_found, "There is no tenant yet: apply a file that names one.");
  return Error(Code::invalid_request, "There are several tenants: say which one (tenant=NAME).");
}

void mount(http::Routes& routes, Deps& deps) {
  constexpr std::size_t kFile = 4 << 20;
  routes.post("/admin/apply", owner_only(deps, post_apply), {.body_limit = kFile, .handles_options = false, .answers_refusals = false, .metric = {}});
  routes.get("/admin/export", owner_only(deps, get_export));
  routes.post("/admin/export", owner_only(deps, post_export));
  routes.get("/admin/scripts", owner_only(deps, list_scripts));
  routes.get("/admin/scripts/{service}/{table}/{operation}", owner_only(deps, get_script));
  routes.put("/admin/scripts/{service}/{table}/{operation}", owner_only(deps, put_script));
  routes.del("/admin/scripts/{service}/{table}/{operation}", owner_only(deps, delete_script));
  routes.get("/admin/logs", owner_only(deps, get_logs));
  routes.get("/admin/rules/explain", owner_only(deps, get_rules_explain));
  routes.get("/admin/delegation/explain", owner_only(deps, get_explain));
  routes.post("/admin/keys/rotate", owner_only(deps, post_rotate));
  routes.get("/admin/check", owner_only(deps, get_check));
  routes.post("/admin/move", owner_only(deps, post_move));
  routes.get("/admin/move", owner_only(deps, get_move));
  routes.post("/admin/push", owner_only(deps, post_push));
  routes.get("/admin/push", owner_only(deps, get_push));
  routes.get("/admin/push/registrations", owner_only(deps, get_push_registrations));
  routes.get("/admin/services", owner_only(deps, list_services));
  routes.post("/admin/services", owner_only(deps, post_service));
  routes.del("/admin/services/{service}", owner_only(deps, delete_service));
  routes.post("/admin/services/{service}/keys", owner_only(deps, post_service_keys));
  routes.post("/admin/services/{service}/deploy", owner_only(deps, post_deploy), {.body_limit = tables::code::kMostText, .handles_options = false, .answers_refusals = false, .metric = {}});
  routes.post("/admin/services/{service}/rollback", owner_only(deps, post_rollback));
  routes.get("/admin/services/{service}/versions", owner_only(deps, get_versions));
  routes.get("/admin/services/{service}/types", owner_only(deps, get_service_types));
  routes.get("/admin/services/{service}/files", owner_only(deps, get_service_files));
  routes.post("/admin/tables/import", owner_only(deps, post_import), {.body_limit = kImportBytes, .handles_options = false, .answers_refusals = false, .metric = {}});
  routes.post("/admin/tables/purge", owner_only(deps, post_purge));
  routes.get("/admin/jobs", owner_only(deps, get_jobs));
  routes.post("/admin/jobs/run", owner_only(deps, post_job_run));
  routes.get("/admin/jobs/runs", owner_only(deps, get_job_runs));
  routes.get("/admin/status", owner_only(deps, get_status));
}

}  // namespace mandate::management
