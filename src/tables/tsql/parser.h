// Reads the SQL of a script: what the tutorials of Mobile Services wrote, and nothing that reaches out of the app's tables.
#pragma once

#include <string_view>
#include <vector>

#include "tables/tsql/ast.h"

namespace mandate::tables::tsql {

struct Script {
  std::vector<Statement> statements;
  std::size_t parameters = 0;  ///< question marks
};

/// bad_request with the word that was not understood and its place. `service`: besides dbo the only schema that names may have.
Result<Script> parse(std::string_view text, std::string_view service, const Limits& limits = {});

}  // namespace mandate::tables::tsql
