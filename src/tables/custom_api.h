// Custom APIs of a service's code (mobile-backend-wire 5.6): who may call them, and what calling one is. No dialect's bytes.
#pragma once

#include <mutex>
#include <set>

#include "identity/shown_keys.h"
#include "scripts/host.h"
#include "tables/bindings.h"
#include "tables/service_calls.h"

namespace mandate::tables {

/// One request on an API, as its door read it.
struct ApiCall {
  tenant::Here here;
  const tenant::Service* service = nullptr;  ///< lives in `here`
  const tenant::CustomApi* api = nullptr;
  identity::Principal principal;
  identity::KeysShown keys;
  Dialect dialect = Dialect::v2;
  std::string method;                        ///< in lower case
  /// Members of the context that say what was asked: path, url, query, headers, body … (scripts/service_protocol.h)
  JsonObject asked;
  Deadline deadline = kNoDeadline;
};

struct ApiAnswer {
  int status = 200;
  bool none = false;                ///< no route of the API is for that (404, 405) or it is not for this caller (401)
  std::vector<std::string> allow;   ///< 405: verbs that would be
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

/// Thread-safe; one for the house. Everything must outlive it.
class CustomApis {
 public:
  CustomApis(scripts::Host& host, Tables& tables, ScriptLog& lines, ServiceCalls& calls, OtherCalls others = {});

  /// Null when the service has no API of that name; found without case.
  static const tenant::CustomApi* find(const tenant::Service& service, std::string_view name);
  /// Whether a route of the API may be for this caller. Which one it is, and so the last word, is known where the routes are.
  static bool may_try(const ApiCall& call);

  /// Runs the API. unauthorized: not for this caller, unless the file is broken, which everybody is told (5.6). server_error:
  /// a handler threw, or the file does not load; the log has the stack. timeout: nothing was answered.
  Task<ApiAnswer> run(ApiCall call);

 private:
  Task<bool> broken(const ApiCall& call);
  Task<Json> ask(const ApiCall& call, JsonObject context);

  scripts::Host& host_;
  Tables& tables_;
  ScriptLog& lines_;
  ServiceCalls& calls_;
  const OtherCalls others_;
  std::mutex mutex_;
  struct Probed {
    std::optional<bool> broken;
    int failures = 0;  ///< that were not the file's
  };
  std::map<std::string, Probed, std::less<>> probed_;  ///< by tenant, service, its code and settings, and the file
};

}  // namespace mandate::tables
