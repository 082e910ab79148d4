// What a write over a newer row comes to, where the table says more than "report it" (tenant::TableSync).
#pragma once

#include "tables/operations.h"

namespace mandate::tables {

/// Whether a table's policy has a say in this act: an update or removal of one row in a version that the client names. Other
/// conditions (If-None-Match, If-Unmodified-Since) are the client's own business and stay with their answer.
bool has_policy(const Act& act);

/// Whether it has a say in that answer too: a row that the client's If-None-Match names is refused to it (412) whoever wins over
/// its If-Match, and so is one over which somebody made the write from another (Act::made_of).
bool settles(const Act& act, const Answer& stale);

/// Whether the table has a script that decides, and the act may be one for it.
bool asks_script(const Act& act);

/// Whose row wins by the policies client, server and newest; `row` is the item of Answer::Kind::stale. With newest, the
/// larger value in the named column: dates by time, numbers by size, other text byte by byte. A write that does not say, or
/// says the same, loses to the row; so does a removal.
enum class Winner { client, server };
Winner winner_of(const Act& act, const JsonObject& row);

/// The act without the version that its client expected.
Act unconditional(Act act);
/// The act over the row as it is: a change since then is a conflict again.
Act over(Act act, std::string version);

/// The answer that a write gets which lost: the row as it is, as if it had been written so.
Answer kept_answer(Answer stale);

}  // namespace mandate::tables
