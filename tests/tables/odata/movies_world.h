// The table of films on both engines, and a way from a query string to the ids that come back.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "store/geo.h"
#include "tables/odata/edm.h"
#include "tables/schema.h"
#include "tests/support/test_loop.h"
#include "tests/tables/odata/movies.h"

namespace mandate::tables::test {

/// A film and what it has beside its facts, some of it missing.
struct Row {
  const Movie* movie;
  std::string id;
  Millis released = 0;
  std::optional<std::string> studio;    ///< every third has none
  std::optional<double> score;          ///< every fifth has none
  std::optional<Millis> starts, lasts;  ///< time of day; duration
  std::optional<store::Point> place;    ///< every fourth has none
  std::string key;                      ///< guid
  int number() const { return static_cast<int>(movie - kMovies); }
};
const std::vector<Row>& movies();
const Schema& movie_schema();

/// What now() gives.
inline constexpr Millis kNow = 1'700'000'000'000;

/// Parameter: "sqlite" or "postgres".
class Movies : public testing::TestWithParam<const char*> {
 protected:
  static constexpr std::size_t kCount = std::size(kMovies);
  struct Found {
    std::vector<std::string> ids;
    std::optional<std::int64_t> total;
    std::string error;
  };

  void SetUp() override;
  /// The answer to a query whose options are joined by "&" and not encoded; a "+" arrives as a blank, as in a URL.
  Found found(std::string_view query, Dialect dialect = Dialect::v4);
  /// The same for a query as it stands in a URL.
  Found found_raw(std::string_view query, Dialect dialect);
  /// Ids of the films that plain code keeps, in order.
  static std::vector<std::string> expected(const std::function<bool(const Row&)>& keeps);

  class Engine;
  class OnSqlite;
  class OnPostgres;
  mandate::test::TestLoop loop_;
  std::shared_ptr<Engine> engine_;
};

#define MOVIES_ON_EVERY_ENGINE(suite) \
  INSTANTIATE_TEST_SUITE_P(Engines, suite, testing::Values("sqlite", "postgres"), [](const auto& engine) { return std::string(engine.param); })

std::string joined(const std::vector<std::string>& ids);

}  // namespace mandate::tables::test
