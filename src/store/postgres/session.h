// libpq with errors as values; blocking calls, for threads that may wait.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"

namespace mandate::store::postgres {

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, CloseConnection>;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, ClearResult>;

/// What the server's refusal means. `lost`: the connection is gone and with it what it was asked.
Error error_of(std::string_view sqlstate, std::string_view message);
Error error_of(const PGresult* result);
Error lost(const PGconn* connection);

/// SQLSTATE classes the engine acts on.
bool worth_a_retry(std::string_view sqlstate);    ///< a deadlock or a serialization failure: nothing was done, try again
bool schema_changed(std::string_view sqlstate);   ///< a table, column or type is not what it was
bool not_a_primary(std::string_view sqlstate);    ///< this server takes no writes: look for another

/// How long a blocking call waits for the server's answer. When it does not come, the connection is of no more use.
struct Patience {
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
  int wake = -1;  ///< a descriptor that ends the wait when it is readable

  static Patience of(std::chrono::milliseconds time, int wake = -1) { return {std::chrono::steady_clock::now() + time, wake}; }
};

/// Runs `sql`, one statement or several without parameters.
Result<Answer> run(PGconn* connection, const std::string& sql, const Patience& patience = {});
/// One statement with text parameters.
Result<Answer> run(PGconn* connection, const std::string& sql, std::initializer_list<std::string_view> parameters, const Patience& patience = {});
/// Text of a cell; empty for null.
std::string_view cell(const Answer& answer, int row, int column);

}  // namespace mandate::store::postgres
