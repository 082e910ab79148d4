// Moving the data to another engine: asked of the server that holds it, or done by a mandated started for it.
#pragma once

#include <string>

namespace mandate::cli {

struct MoveOrder {
  std::string from, to, schema;  ///< sqlite:DIRECTORY or postgres://…; the schema of PostgreSQL
  std::string socket;            ///< where a server that holds the data answers; empty = admin.sock in the directory
};

/// What the command ends with: 0 = moved, 1 = it failed or was refused, 2 = wrong options, 3 = the server went away.
int move(const MoveOrder& order);

}  // namespace mandate::cli
