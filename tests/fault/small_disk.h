// A database on a disk that can be full: a tablespace on a small tmpfs where we may mount one, else a trigger that says
// what a full disk would.
#pragma once

#include <string>

#include "tests/support/postgres_server.h"

namespace mandate::test {

class SmallDisk {
 public:
  /// Of a server of the test's own. Throws std::runtime_error.
  explicit SmallDisk(PostgresServer& server);
  /// After the server's connections are gone.
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;

  /// The database on it, owned by the user `mandate`.
  const std::string& url() const { return url_; }
  /// Whether the disk is a real one.
  bool real() const { return !mount_.empty(); }
  /// Nothing can grow any more. Without a real disk: no row can be inserted into any table there is now.
  void fill();
  void free();

 private:
  std::string sql(const std::string& url, const std::string& statement) const;

  PostgresServer& server_;
  std::string url_, mount_;
};

}  // namespace mandate::test
