#include "tests/tables/odata/movies_world.h"

#include "base/random.h"
#include "store/postgres/postgres.h"
#include "tables/odata/to_plan.h"
#include "tables/wire/datasync_query.h"
#include "tables/wire/zumo_query.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_store.h"

namespace mandate::tables::test {

using mandate::test::run;
using odata::Edm;
using odata::Meaning;
using store::Type;

class Movies::Engine {
 public:
  virtual ~Engine() = default;
  virtual store::Store& store() = 0;
};

class Movies::OnSqlite final : public Engine {
 public:
  store::Store& store() override { return temp_.store(); }

 private:
  mandate::test::TempStore temp_;
};

class Movies::OnPostgres final : public Engine {
 public:
  OnPostgres() {
    options_.url = mandate::test::shared_postgres().create_database();
    options_.clock = &clock_;
    options_.random = &random_;
    auto opened = store::open_postgres(options_, log_, metrics_);
    if (!opened.ok()) throw std::runtime_error(opened.error().hint + " " + opened.error().detail);
    cluster_ = *std::move(opened);
    if (auto done = cluster_->migrate(store::kMigrations); !done.ok()) throw std::runtime_error(done.error().detail);
    store_ = cluster_->tenant("demo");
  }
  store::Store& store() override { return *store_; }

 private:
  ManualClock clock_;
  SystemRandom random_;
  Log log_{clock_, Level::error, [](std::string_view) {}};
  Metrics metrics_;
  store::PostgresOptions options_;
  std::unique_ptr<store::PostgresCluster> cluster_;
  std::unique_ptr<store::Store> store_;
};

const std::vector<Row>& movies() {
  static const std::vector<Row> all = [] {
    std::vector<Row> rows;
    constexpr const char* studios[] = {"Path\xC3\xA9", "Gaumont", "UFA", "Path\xC3\xA9 North"};
    for (const Movie& movie : kMovies) {
      Row row{&movie, {}, *odata::read_date(movie.released), {}, {}, {}, {}, {}, {}};
      const int n = row.number();
      char id[16];
      std::snprintf(id, sizeof id, "id-%03d", (n * 37) % 1000);
      row.id = id;
      if (n % 3) row.studio = studios[n % 4];
      if (n % 5) row.score = n % 11 - 2.5;
      row.starts = (n % 24) * 3'600'000 + 1'500;
      row.lasts = movie.duration * 60'000;
      if (n % 4) row.place = store::Point{n * 4.0 - 170, n - 40.0};
      char key[40];
      std::snprintf(key, sizeof key, "%08x-aaaa-4bbb-8ccc-0123456789ab", static_cast<unsigned>(n));
      row.key = key;
      rows.push_back(std::move(row));
    }
    return rows;
  }();
  return all;
}

const Schema& movie_schema() {
  static const Schema made = [] {
    Schema s;
    s.physical = "movies";
    s.columns = {{"id", Type::text, true}, {"title", Type::text},  {"year", Type::integer}, {"duration", Type::integer},
                 {"rating", Type::integer}, {"releaseDate", Type::date}, {"bestPictureWinner", Type::boolean},
                 {"studio", Type::text},   {"score", Type::real},  {"starts", Type::date},  {"lasts", Type::integer},
                 {"place", Type::json},    {"key", Type::text}};
    const auto meaning = [&](const char* column, Edm edm, std::vector<std::string> members = {}) {
      s.meanings[column] = std::make_shared<const Meaning>(Meaning{edm, std::move(members)});
    };
    meaning("rating", Edm::enumeration, kRatings);
    meaning("releasedate", Edm::date);
    meaning("starts", Edm::time);
    meaning("lasts", Edm::duration);
    meaning("place", Edm::point);
    meaning("key", Edm::guid);
    return s;
  }();
  return made;
}

void Movies::SetUp() {
  if (std::string_view(GetParam()) == "sqlite") engine_ = std::make_shared<OnSqlite>();
  else engine_ = std::make_shared<OnPostgres>();
  auto made = run(loop_, engine_->store().ensure_table("movies", movie_schema().columns));
  ASSERT_TRUE(made.ok()) << made.error().detail;
  store::Batch batch;
  const auto maybe = [](const auto& value) { return value ? store::Value(*value) : store::Value(); };
  for (const Row& row : movies())
    batch.add(store::insert("movies", {{"id", row.id},
                                       {"title", std::string(row.movie->title)},
                                       {"year", std::int64_t{row.movie->year}},
                                       {"duration", std::int64_t{row.movie->duration}},
                                       {"rating", static_cast<std::int64_t>(row.movie->rating)},
                                       {"releaseDate", row.released},
                                       {"bestPictureWinner", row.movie->best_picture_winner},
                                       {"studio", maybe(row.studio)},
                                       {"score", maybe(row.score)},
                                       {"starts", maybe(row.starts)},
                                       {"lasts", maybe(row.lasts)},
                                       {"place", row.place ? store::Value(store::geojson(*row.place)) : store::Value()},
                                       {"key", row.key}}));
  auto done = run(loop_, engine_->store().mutate(std::move(batch)));
  ASSERT_TRUE(done.ok()) << done.error().detail;
}


Movies::Found Movies::found(std::string_view query, Dialect dialect) {
  std::string encoded;
  for (const char c : query)
    if (c == '%') encoded += "%25";
    else encoded += c;
  return found_raw(encoded, dialect);
}

Movies::Found Movies::found_raw(std::string_view query, Dialect dialect) {
  Found out;
  const auto read = [&]() -> Result<std::pair<odata::Query, std::int64_t>> {
    TRY(const wire::QueryParameters parameters, wire::query_parameters(query));
    const tenant::Table table;
    if (is_datasync(dialect)) {
      TRY(wire::DatasyncQuery asked, wire::read_datasync_query(parameters, dialect, table, true, false));
      return std::pair(std::move(asked.query), asked.page);
    }
    TRY(wire::ZumoQuery asked, wire::read_query(parameters, dialect, table, true, false));
    return std::pair(std::move(asked.query), asked.page);
  }();
  if (!read.ok()) {
    out.error = read.error().hint;
    return out;
  }
  auto planned = odata::to_plan(read->first, {movie_schema(), dialect, false, kNow}, read->second);
  if (!planned.ok()) {
    out.error = planned.error().hint;
    return out;
  }
  planned->plan.select = {"id"};
  auto listed = run(loop_, engine_->store().list(planned->plan, [&](const store::RowView& row) {
    out.ids.emplace_back(row.text(0));
    return true;
  }));
  if (!listed.ok()) out.error = listed.error().hint + " " + listed.error().detail;
  else out.total = listed->total;
  return out;
}

std::vector<std::string> Movies::expected(const std::function<bool(const Row&)>& keeps) {
  std::vector<std::string> ids;
  for (const Row& row : movies())
    if (keeps(row)) ids.push_back(row.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}


std::string joined(const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) out += (out.empty() ? "" : " ") + id;
  return out;
}

}  // namespace mandate::tables::test
