#include "tests/support/database_under_test.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string_view>

#include "tests/support/postgres_server.h"

namespace mandate::test {

DatabaseUnderTest::DatabaseUnderTest() {
  const char* given = std::getenv("MANDATE_STORE_UNDER_TEST");
  const std::string_view engine = given ? given : "";
  if (engine == "postgres") url_ = shared_postgres().create_database();
  else if (!engine.empty() && engine != "sqlite")
    throw std::runtime_error("MANDATE_STORE_UNDER_TEST: neither sqlite nor postgres");
}

DatabaseUnderTest::~DatabaseUnderTest() {
  if (url_.empty()) return;
  try {
    shared_postgres().drop_database(url_);
  } catch (const std::exception& error) {  // it goes with the server
    std::fprintf(stderr, "%s\n", error.what());
  }
}

}  // namespace mandate::test
