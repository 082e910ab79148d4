// COPY … FROM STDIN in the binary format.
#pragma once

#include "store/postgres/table.h"
#include "store/postgres/session.h"

namespace mandate::store::postgres {

/// One statement on one connection. Destroyed before end(), it is undone.
class CopyIn {
 public:
  explicit CopyIn(PGconn* connection) : connection_(connection) {}
  ~CopyIn();
  CopyIn(const CopyIn&) = delete;

  /// `columns` as SQL has them, with commas.
  Result<void> begin(const std::string& table, const std::string& columns);
  Result<void> row(const Parameters& cells);
  Result<void> end();

 private:
  Result<void> send();
  PGconn* connection_;
  bool open_ = false;
  std::string buffer_;
  Parameters::View view_;
};

}  // namespace mandate::store::postgres
