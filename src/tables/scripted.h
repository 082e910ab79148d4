// An act of a table that has a script: the script decides, storage does (mobile-backend-wire 5.3).
#pragma once

#include <memory>

#include "scripts/host.h"
#include "tables/bindings.h"
#include "tables/operations.h"
#include "tables/script_log.h"
#include "tables/service_calls.h"

namespace mandate::tables {

/// Runs the scripts that tables carry in their configuration. A table may have hooks (table/T.js: beforeInsert …) beside or
/// instead of them; where an operation has a script of its own, that one runs. Everything must outlive it; thread-safe.
///
/// A script that throws, or is ended at its limit, is server_error (500, generic); one that never answers is timeout
/// (503). Both leave an error line in the script log. Other errors are those of storage, or what the script gave respond().
/// `calls` null: services have neither files nor settings.
std::unique_ptr<Script> make_table_scripts(scripts::Host& host, Tables& tables, ScriptLog& lines, OtherCalls others = {}, ServiceCalls* calls = nullptr);

/// "insert", "read", "update" or "delete": the script an operation runs, as configuration names it.
std::string_view script_of(Operation operation);
/// "/table/TodoItem.insert.js": the script's name in stack traces and in the log.
std::string script_source(std::string_view table, std::string_view script);

}  // namespace mandate::tables
