// Mobile services and their folders: the commands below `mandate service`.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "owner_socket.h"

namespace mandate::cli {

struct ServiceArguments {
  std::string tenant, service = "default", directory, note, name, key, prefix, overlap = "24h";
  std::vector<std::string> hosts;
  std::int64_t version = 0;
  bool dry_run = false, force = false;
};

/// Blocking, each of them. What a person passed over, or npm said, goes to standard error.
Result<Json> deploy_service(const OwnerSocket& server, const ServiceArguments& a);
Result<Json> roll_back_service(const OwnerSocket& server, const ServiceArguments& a);
Result<Json> list_services(const OwnerSocket& server, const ServiceArguments& a);
Result<Json> service_versions(const OwnerSocket& server, const ServiceArguments& a);
Result<Json> create_service(const OwnerSocket& server, const ServiceArguments& a);
Result<Json> delete_service(const OwnerSocket& server, const ServiceArguments& a);
Result<Json> rotate_service_key(const OwnerSocket& server, const ServiceArguments& a);
/// {"written": N, "folder": "…"}
Result<Json> pull_service(const OwnerSocket& server, const ServiceArguments& a);
/// {"file": "…"}
Result<Json> write_service_types(const OwnerSocket& server, const ServiceArguments& a);
/// Deploys, and again whenever a file changes; a mistake is told and the next change waited for. Returns when the folder cannot
/// be watched (any more).
int watch_service(const OwnerSocket& server, const ServiceArguments& a);

std::string show_deployed(const JsonObject& answer);
std::string show_services(const JsonObject& answer);
std::string show_versions(const JsonObject& answer);
std::string show_created(const JsonObject& answer);
std::string show_key(const JsonObject& answer);
std::string show_pulled(const JsonObject& answer);

}  // namespace mandate::cli
