#include "store/postgres/move_mark.h"

namespace mandate::store::postgres {

Result<MoveMark> read_mark(PGconn* connection) {
  TRY(const Answer there, run(connection, "SELECT to_regclass('mandate_move')"));
  if (cell(there, 0, 0).empty()) return MoveMark{};
  TRY(const Answer row, run(connection, "SELECT state, id, place FROM mandate_move"));
  if (PQntuples(row.get()) == 0) return MoveMark{};
  return MoveMark{std::string(cell(row, 0, 0)), std::string(cell(row, 0, 1)), std::string(cell(row, 0, 2))};
}

Result<void> write_mark(PGconn* connection, const MoveMark& mark, Millis now) {
  CHECK_OK(run(connection,
               "INSERT INTO mandate_move VALUES (true, $1, $2, $3, $4) ON CONFLICT (only_row) DO UPDATE"
               " SET state = excluded.state, id = excluded.id, place = excluded.place, at = excluded.at",
               {mark.state, mark.id, mark.place, std::to_string(now)}));
  return {};
}

Result<void> check_mark(PGconn* connection) {
  TRY(const MoveMark mark, read_mark(connection));
  if (mark.state == "left")
    return Error(Code::conflict, "The data of this database has moved to " + mark.place + ": start mandated there (or delete the row of" +
                                     " mandate_move to go back to what was here, losing what was written since).");
  if (mark.state == "arriving" || mark.state == "complete")
    return Error(Code::conflict, "The move of " + mark.place + " to this database is not finished: run mandate move again.");
  return {};
}

}  // namespace mandate::store::postgres
