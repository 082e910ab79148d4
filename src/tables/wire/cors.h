// Which web pages may read a service's answers: the service's own rules, by their short names.
#pragma once

#include "tenant/service_cors.h"

namespace mandate::tables::wire {

using tenant::add_cors;
using tenant::origin_allowed;
using tenant::preflight;

}  // namespace mandate::tables::wire
