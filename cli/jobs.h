// mandate jobs: the answers for people.
#pragma once

#include <string>

#include "base/json.h"

namespace mandate::cli {

std::string show_jobs(const JsonObject& answer);
std::string show_job_runs(const JsonObject& answer);

}  // namespace mandate::cli
