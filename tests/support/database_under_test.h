// The engine this run is about: MANDATE_STORE_UNDER_TEST is sqlite (or not set) or postgres. tests/run sets it for the
// parts that run on each engine.
#pragma once

#include <string>

namespace mandate::test {

/// A new database of the private PostgreSQL, gone with this object; on SQLite nothing at all, since there a directory is
/// the database.
class DatabaseUnderTest {
 public:
  /// Throws std::runtime_error for an engine that is none.
  DatabaseUnderTest();
  ~DatabaseUnderTest();
  DatabaseUnderTest(const DatabaseUnderTest&) = delete;

  /// Empty on SQLite.
  const std::string& url() const { return url_; }

 private:
  std::string url_;
};

}  // namespace mandate::test
