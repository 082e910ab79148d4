// mandate import: rows of files into a table of the server.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "import/rows.h"
#include "owner_socket.h"

namespace mandate::cli {

struct ImportArguments {
  std::string tenant, service = "default", table;
  std::vector<std::string> files;
  RowsOptions rows;
  std::vector<std::string> renamed, types;  ///< FROM=TO, COLUMN=TYPE
  bool dry_run = false, replace = false, new_times = false, new_ids = false, skip_bad = false;
};

/// Reads the files one after the other and sends their rows some at a time; how far it is, and rows that were not taken as
/// "file:line: why", go to standard error. {"files":[{"file","rows","inserted","updated","kept","same","refused"}],"inserted",…,"columns",
/// "dry_run","stopped","next_line","new_ids"}. An Error says, too, what had been written before, and how to go on: the same command may
/// be given again, but with new_ids. Blocking.
Result<Json> import_files(const OwnerSocket& server, ImportArguments a);

std::string show_imported(const JsonObject& answer);

}  // namespace mandate::cli
