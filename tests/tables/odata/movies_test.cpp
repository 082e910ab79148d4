// Query to rows on both engines: every vector against plain C++ (mobile-backend-wire 3.3, 3.4, 9.4; acceptance check 6).
#include <cmath>

#include "store/text.h"
#include "tests/tables/odata/movies_world.h"

namespace mandate::tables::test {
namespace {

bool contains(const Row& row, std::string_view text) { return store::index_of(row.movie->title, text) >= 0; }
bool same(std::string_view a, std::string_view b) { return store::compare_dictionary(a, b) == 0; }
std::int64_t part(store::Function function, const Row& row) { return store::date_part(function, row.released); }
Millis date(std::string_view text) { return *odata::read_date(text); }
double km(const Row& row, double longitude, double latitude) { return store::distance_km(*row.place, {longitude, latitude}); }

struct Vector {
  const char* filter;
  std::function<bool(const Row&)> keeps;
};

using R = const Row&;
using F = store::Function;

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = {
      // Community Datasync's own.
      {"((year div 1000.5) eq 2) and (rating eq 'R')", [](R r) { return r.movie->year == 2001 && r.movie->rating == Rating::r; }},
      {"((year sub 1900) ge 80) and ((year add 10) lt 2000) and (duration le 120)",
       [](R r) { return r.movie->year >= 1980 && r.movie->year < 1990 && r.movie->duration <= 120; }},
      {"(year div 1000.5) eq 2", [](R r) { return r.movie->year == 2001; }},
      {"(year ge 1930 and year le 1940) or (year ge 1950 and year le 1960)",
       [](R r) { return (r.movie->year >= 1930 && r.movie->year <= 1940) || (r.movie->year >= 1950 && r.movie->year <= 1960); }},
      {"(year sub 1900) ge 80", [](R r) { return r.movie->year >= 1980; }},
      {"bestPictureWinner eq false", [](R r) { return !r.movie->best_picture_winner; }},
      {"bestPictureWinner eq true and ((year sub 1900) ge 80) and ((year add 10) lt 2000)",
       [](R r) { return r.movie->best_picture_winner && r.movie->year >= 1980 && r.movie->year < 1990; }},
      {"bestPictureWinner eq true", [](R r) { return r.movie->best_picture_winner; }},
      {"bestPictureWinner ne false", [](R r) { return r.movie->best_picture_winner; }},
      {"bestPictureWinner ne true", [](R r) { return !r.movie->best_picture_winner; }},
      {"ceiling(duration div 60.0) eq 2", [](R r) { return r.movie->duration > 60 && r.movie->duration <= 120; }},
      {"day(releaseDate) eq 1", [](R r) { return part(F::day, r) == 1; }},
      {"duration ge 60", [](R r) { return r.movie->duration >= 60; }},
      {"endswith(title, 'er')", [](R r) { return store::ends_with(r.movie->title, "er"); }},
      {"endswith(tolower(title), 'er')", [](R r) { return store::ends_with(r.movie->title, "er"); }},
      {"endswith(toupper(title), 'ER')", [](R r) { return store::ends_with(r.movie->title, "er"); }},
      {"floor(duration div 60.0) eq 2", [](R r) { return r.movie->duration / 60 == 2; }},
      {"month(releaseDate) eq 11", [](R r) { return part(F::month, r) == 11; }},
      {"not(bestPictureWinner eq false)", [](R r) { return r.movie->best_picture_winner; }},
      {"not(bestPictureWinner eq true)", [](R r) { return !r.movie->best_picture_winner; }},
      {"not(bestPictureWinner ne false)", [](R r) { return !r.movie->best_picture_winner; }},
      {"not(bestPictureWinner ne true)", [](R r) { return r.movie->best_picture_winner; }},
      {"rating eq 'Unrated'", [](R r) { return r.movie->rating == Rating::unrated; }},
      {"rating eq 'R'", [](R r) { return r.movie->rating == Rating::r; }},
      {"rating ne 'PG13'", [](R r) { return r.movie->rating != Rating::pg13; }},
      {"releaseDate eq cast(1994-10-14,Edm.Date)", [](R r) { return r.released == date("1994-10-14"); }},
      {"releaseDate ge cast(1999-12-31,Edm.Date)", [](R r) { return r.released >= date("1999-12-31"); }},
      {"releaseDate gt cast(1999-12-31,Edm.Date)", [](R r) { return r.released > date("1999-12-31"); }},
      {"releaseDate le cast(2000-01-01,Edm.Date)", [](R r) { return r.released <= date("2000-01-01"); }},
      {"releaseDate lt cast(2000-01-01,Edm.Date)", [](R r) { return r.released < date("2000-01-01"); }},
      {"round(duration div 60.0) eq 2", [](R r) { return r.movie->duration >= 90 && r.movie->duration < 150; }},
      {"startswith(tolower(title), 'the')", [](R r) { return store::starts_with(r.movie->title, "the"); }},
      {"startswith(toupper(title), 'THE')", [](R r) { return store::starts_with(r.movie->title, "the"); }},
      {"title eq 'The Godfather'", [](R r) { return same(r.movie->title, "The Godfather"); }},
      {"title ne 'The Godfather'", [](R r) { return !same(r.movie->title, "The Godfather"); }},
      {"year eq 1994", [](R r) { return r.movie->year == 1994; }},
      {"year ge 2000 and year le 2009", [](R r) { return r.movie->year >= 2000 && r.movie->year <= 2009; }},
      {"year(releaseDate) eq 1994", [](R r) { return part(F::year, r) == 1994; }},
      // What its clients write.
      {"(releaseDate gt cast(2000-01-01T00:00:00.000Z,Edm.DateTimeOffset))", [](R r) { return r.released > date("2000-01-01"); }},
      {"releaseDate gt 2000-01-01", [](R r) { return r.released > date("2000-01-01"); }},
      {"releaseDate ge 2000-01-01T01:00:00+01:00", [](R r) { return r.released >= date("2000-01-01"); }},
      {"releaseDate ge 2000-01-01T01:00:00 01:00", [](R r) { return r.released >= date("2000-01-01"); }},
      {"releaseDate eq '1994-10-14'", [](R r) { return r.released == date("1994-10-14"); }},
      {"releaseDate eq datetime'1994-10-14T00:00:00Z'", [](R r) { return r.released == date("1994-10-14"); }},
      {"cast(releaseDate,Edm.DateTimeOffset) lt datetimeoffset'1950-01-01T00:00:00Z'", [](R r) { return r.released < date("1950-01-01"); }},
      {"starts eq cast(13:00:01.500,Edm.TimeOfDay)", [](R r) { return r.starts == 13 * 3'600'000 + 1500; }},
      {"starts lt 02:00 and hour(starts) ge 1", [](R r) { return r.starts == 3'600'000 + 1500; }},
      {"starts eq time'13:00:01.5' or starts eq time'PT2H1.5S'", [](R r) { return *r.starts / 3'600'000 == 13 || *r.starts / 3'600'000 == 2; }},
      {"key eq cast(00000003-AAAA-4bbb-8ccc-0123456789ab,Edm.Guid)", [](R r) { return r.number() == 3; }},
      {"key eq guid'00000003-AAAA-4BBB-8CCC-0123456789AB'", [](R r) { return r.number() == 3; }},
      {"key in (00000003-aaaa-4bbb-8ccc-0123456789ab,00000005-aaaa-4bbb-8ccc-0123456789ab)", [](R r) { return r.number() == 3 || r.number() == 5; }},
      {"id in ('id-037','id-074','nobody')", [](R r) { return r.id == "id-037" || r.id == "id-074"; }},
      {"title in ('Schindler's List','It''s a Wonderful Life')",
       [](R r) { return std::string_view(r.movie->title) == "Schindler's List" || std::string_view(r.movie->title) == "It's a Wonderful Life"; }},
      {"rating in ('G','PG')", [](R r) { return r.movie->rating == Rating::g || r.movie->rating == Rating::pg; }},
      {"not(rating in ('G','PG'))", [](R r) { return r.movie->rating != Rating::g && r.movie->rating != Rating::pg; }},
      {"year in (1994,1999,2008)", [](R r) { return r.movie->year == 1994 || r.movie->year == 1999 || r.movie->year == 2008; }},
      {"(duration add 5) in (100,101.0,5L)", [](R r) { return r.movie->duration == 95 || r.movie->duration == 96; }},
      {"contains(title,'god')", [](R r) { return contains(r, "god"); }},
      {"contains(tolower(title),'the') and not(startswith(title,'The'))", [](R r) { return contains(r, "the") && !store::starts_with(r.movie->title, "the"); }},
      {"substringof('ring',title)", [](R r) { return contains(r, "ring"); }},
      {"indexof(title,'of') gt 10", [](R r) { return store::index_of(r.movie->title, "of") > 10; }},
      {"length(title) le 5", [](R r) { return store::length(r.movie->title) <= 5; }},
      {"substring(title,4) eq 'Matrix'", [](R r) { return std::string_view(r.movie->title) == "The Matrix"; }},
      {"substring(title,0,3) eq 'am\xC3\xA9'", [](R r) { return same(store::substring(r.movie->title, 0, 3), "am\xC3\xA9"); }},
      {"concat(title,'!') eq 'jaws!'", [](R r) { return same(r.movie->title, "Jaws"); }},
      {"replace(title,'Wars','Peace') eq 'star peace'", [](R r) { return same(r.movie->title, "Star Wars"); }},
      {"trim(concat(' ',title)) eq 'Up'", [](R r) { return same(r.movie->title, "Up"); }},
      {"rating gt 'PG' and rating lt 'R'", [](R r) { return r.movie->rating == Rating::pg13 || r.movie->rating == Rating::nc17; }},
      {"rating eq 3", [](R r) { return r.movie->rating == Rating::pg13; }},
      {"rating eq Movies.Rating'nc17'", [](R r) { return r.movie->rating == Rating::nc17; }},
      // Division, remainders, rounding.
      {"duration div 60 eq 2", [](R r) { return r.movie->duration / 60 == 2; }},
      {"duration div 60.0 eq 2", [](R r) { return r.movie->duration == 120; }},
      {"duration divby 60 eq 2", [](R r) { return r.movie->duration == 120; }},
      {"duration div 60.0 gt 3.5", [](R r) { return r.movie->duration > 210; }},
      {"duration mod 60 eq 0", [](R r) { return r.movie->duration % 60 == 0; }},
      {"(duration div 60.0) mod 1 eq 0.5", [](R r) { return r.movie->duration % 60 == 30; }},
      {"score mod 2 eq -0.5", [](R r) { return r.score && std::fmod(*r.score, 2) == -0.5; }},
      {"round(score) eq -3", [](R r) { return r.score && std::round(*r.score) == -3; }},
      {"floor(score) lt ceiling(score)", [](R r) { return r.score && std::floor(*r.score) < std::ceil(*r.score); }},
      {"score mul 2 eq 1E+0", [](R r) { return r.score && *r.score * 2 == 1; }},
      {"score mul 2 eq 1E 0", [](R r) { return r.score && *r.score * 2 == 1; }},
      {"-score gt 2", [](R r) { return r.score && -*r.score > 2; }},
      {"year eq 1994L or year eq 1994.0f or year eq 1.994E3d or year eq 1994m", [](R r) { return r.movie->year == 1994; }},
      // Casts of columns.
      {"cast(year,Edm.String) eq '1994'", [](R r) { return r.movie->year == 1994; }},
      {"startswith(cast(releaseDate,Edm.String),'1994-1')", [](R r) { return part(F::year, r) == 1994 && part(F::month, r) >= 10; }},
      {"cast(bestPictureWinner,Edm.String) eq 'TRUE'", [](R r) { return r.movie->best_picture_winner; }},
      {"cast(score,Edm.Int32) eq 0", [](R r) { return r.score && std::trunc(*r.score) == 0; }},
      {"cast(rating,Edm.Int32) ge 4", [](R r) { return r.movie->rating >= Rating::nc17; }},
      {"cast(substring(title,0,2),Edm.Int64) eq 12", [](R r) { return std::string_view(r.movie->title).starts_with("12"); }},
      {"cast('5',Edm.Int32) eq 5 and year eq cast(1994.7,Edm.Int32)", [](R r) { return r.movie->year == 1994; }},
      {"cast(starts,Edm.String) eq '13:00:01.500'", [](R r) { return *r.starts / 3'600'000 == 13; }},
      // Time and its differences.
      {"releaseDate add duration'P1D' eq 1994-10-15", [](R r) { return r.released == date("1994-10-14"); }},
      {"releaseDate sub duration'P1DT12H' lt 1925-01-01", [](R r) { return r.released - 129'600'000 < date("1925-01-01"); }},
      {"1994-10-24 sub releaseDate le duration'P10D' and releaseDate le 1994-10-24",
       [](R r) { return date("1994-10-24") - r.released <= 864'000'000 && r.released <= date("1994-10-24"); }},
      {"lasts eq duration'PT2H'", [](R r) { return r.movie->duration == 120; }},
      {"lasts gt duration'PT3H20M0.5S'", [](R r) { return r.movie->duration > 200; }},
      {"totalseconds(lasts) eq 7200", [](R r) { return r.movie->duration == 120; }},
      {"lasts add duration'PT1M' eq duration'PT2H1M' or -lasts eq -duration'PT45M'", [](R r) { return r.movie->duration == 120 || r.movie->duration == 45; }},
      {"releaseDate lt now() and releaseDate gt mindatetime() and releaseDate lt maxdatetime()", [](R) { return true; }},
      {"date(releaseDate add duration'PT30H') eq 1994-10-15", [](R r) { return r.released == date("1994-10-14"); }},
      {"time(releaseDate add duration'PT30H') eq 06:00:00 and totaloffsetminutes(releaseDate) eq 0", [](R) { return true; }},
      {"fractionalseconds(starts) eq 0.5 and second(starts) eq 1", [](R) { return true; }},
      // Places.
      {"geo.distance(place,geography'POINT(-97 38)') lt 5000", [](R r) { return r.place && km(r, -97, 38) < 5000; }},
      {"geo.distance(geography'SRID=4326;POINT(2.35 48.86)',place) ge 12000.5", [](R r) { return r.place && km(r, 2.35, 48.86) >= 12000.5; }},
      {"place eq null", [](R r) { return !r.place; }},
      // Null is less than nothing and differs from everything.
      {"studio eq null", [](R r) { return !r.studio; }},
      {"null ne studio", [](R r) { return r.studio.has_value(); }},
      {"studio ne 'ufa'", [](R r) { return !r.studio || !same(*r.studio, "UFA"); }},
      {"not(studio eq 'ufa')", [](R r) { return !r.studio || !same(*r.studio, "UFA"); }},
      {"studio eq 'Path\xC3\xA9'", [](R r) { return r.studio && same(*r.studio, "Path\xC3\xA9"); }},
      {"studio eq 'Pathe'", [](R) { return false; }},
      {"studio gt 'Gaumont'", [](R r) { return r.studio && store::compare_dictionary(*r.studio, "Gaumont") > 0; }},
      {"not(studio gt 'Gaumont')", [](R r) { return !r.studio || store::compare_dictionary(*r.studio, "Gaumont") <= 0; }},
      {"studio in ('UFA',null)", [](R r) { return !r.studio || same(*r.studio, "UFA"); }},
      {"not(studio in ('UFA'))", [](R r) { return !r.studio || !same(*r.studio, "UFA"); }},
      {"not(studio in ('UFA',null))", [](R r) { return r.studio && !same(*r.studio, "UFA"); }},
      {"studio eq title", [](R r) { return r.studio && same(*r.studio, r.movie->title); }},
      {"score gt null", [](R) { return false; }},
      {"not(score gt null)", [](R) { return true; }},
      {"not(score lt 1 or studio eq null)", [](R r) { return !(r.score && *r.score < 1) && r.studio; }},
      {"score add 1 ne 2.5", [](R r) { return !r.score || *r.score + 1 != 2.5; }},
      // Words in any case, names too; phones from Turkey.
      {"BESTPICTUREWINNER EQ TRUE AND Year GE 2000", [](R r) { return r.movie->best_picture_winner && r.movie->year >= 2000; }},
      {"StartsWith(Title,'The') Or EndsWith(TITLE,'er')", [](R r) { return store::starts_with(r.movie->title, "the") || store::ends_with(r.movie->title, "er"); }},
      {"Contains(title,'god') And Not (year In (1974))", [](R r) { return contains(r, "god") && r.movie->year != 1974; }},
      {"tr\xC4\xB1m(title) eq 'up' or duration d\xC4\xB1v 60 eq 3", [](R r) { return same(r.movie->title, "Up") || r.movie->duration / 60 == 3; }},
      {"bestPictureWinner", [](R r) { return r.movie->best_picture_winner; }},
      {"not bestPictureWinner", [](R r) { return !r.movie->best_picture_winner; }},
      {"(year eq 1994) eq true", [](R r) { return r.movie->year == 1994; }},
      {"true", [](R) { return true; }},
      {"1 eq 0", [](R) { return false; }},
  };
  return all;
}

struct Ordering {
  const char* text;
  std::function<int(R, R)> compare;
};

int three_way(auto a, auto b) { return a < b ? -1 : a > b; }

const std::vector<Ordering>& orderings() {
  static const std::vector<Ordering> all = {
      {"", [](R, R) { return 0; }},
      {"bestPictureWinner", [](R a, R b) { return three_way(a.movie->best_picture_winner, b.movie->best_picture_winner); }},
      {"bestPictureWinner desc", [](R a, R b) { return three_way(b.movie->best_picture_winner, a.movie->best_picture_winner); }},
      {"duration asc", [](R a, R b) { return three_way(a.movie->duration, b.movie->duration); }},
      {"duration desc", [](R a, R b) { return three_way(b.movie->duration, a.movie->duration); }},
      {"rating", [](R a, R b) { return three_way(a.movie->rating, b.movie->rating); }},
      {"rating desc", [](R a, R b) { return three_way(b.movie->rating, a.movie->rating); }},
      {"releaseDate", [](R a, R b) { return three_way(a.released, b.released); }},
      {"releaseDate desc", [](R a, R b) { return three_way(b.released, a.released); }},
      {"title", [](R a, R b) { return store::compare_dictionary(a.movie->title, b.movie->title); }},
      {"Title DESC", [](R a, R b) { return store::compare_dictionary(b.movie->title, a.movie->title); }},
      {"year asc,title asc", [](R a, R b) { return a.movie->year != b.movie->year ? three_way(a.movie->year, b.movie->year) : store::compare_dictionary(a.movie->title, b.movie->title); }},
      {"year desc, title desc", [](R a, R b) { return a.movie->year != b.movie->year ? three_way(b.movie->year, a.movie->year) : store::compare_dictionary(b.movie->title, a.movie->title); }},
      {"length(title) desc", [](R a, R b) { return three_way(store::length(b.movie->title), store::length(a.movie->title)); }},
      {"year(releaseDate) sub year", [](R a, R b) { return three_way(part(F::year, a) - a.movie->year, part(F::year, b) - b.movie->year); }},
      {"score", [](R a, R b) { return three_way(a.score, b.score); }},  // what is null comes first
      {"score desc", [](R a, R b) { return three_way(b.score, a.score); }},
  };
  return all;
}

TEST_P(Movies, EveryFilterKeepsWhatPlainCodeKeeps) {
  for (const Vector& vector : vectors()) {
    const Found got = found(std::string("$filter=") + vector.filter);
    EXPECT_EQ(got.error, "") << vector.filter;
    EXPECT_EQ(joined(got.ids), joined(expected(vector.keeps))) << vector.filter;
  }
}

TEST_P(Movies, EveryFilterInEveryOrderAndPageIsASliceOfTheSameRows) {
  unsigned turn = 0;
  std::size_t asked = 0;
  for (const Vector& vector : vectors())
    for (std::size_t n = 0; n < 4; ++n) {
      const Ordering& order = orderings()[(turn * 5 + n * 7) % orderings().size()];
      const std::size_t skip = (turn + n) % 3 ? (turn * 3 + n) % 11 : 0, top = n % 2 ? 5 + turn % 7 : 100;
      ++turn;
      std::vector<const Row*> rows;
      for (const Row& row : movies())
        if (vector.keeps(row)) rows.push_back(&row);
      std::sort(rows.begin(), rows.end(), [&](const Row* a, const Row* b) {
        const int c = order.compare(*a, *b);
        return c ? c < 0 : a->id < b->id;
      });
      std::vector<std::string> ids;
      for (std::size_t i = skip; i < rows.size() && ids.size() < top; ++i) ids.push_back(rows[i]->id);
      std::string query = std::string("$filter=") + vector.filter + "&$count=true&$skip=" + std::to_string(skip);
      if (*order.text) query += std::string("&$orderby=") + order.text;
      if (n % 2) query += "&$top=" + std::to_string(top);
      const Found got = found(query);
      EXPECT_EQ(got.error, "") << query;
      EXPECT_EQ(joined(got.ids), joined(ids)) << query;
      EXPECT_EQ(got.total.value_or(-1), static_cast<std::int64_t>(rows.size())) << query;
      ++asked;
    }
  EXPECT_GE(asked, 311U);
}

TEST_P(Movies, WhatHasNoMeaningIsRefusedBeforeTheStore) {
  for (const char* query :
       {"$filter=(year - 1900) ge 100", "$filter=missing eq 20", "$filter=duration fizz", "$filter=year", "$orderby=missing", "$orderby=duration fizz",
        "$select=missing", "$select=year rating", "$skip=-1", "$skip=NaN", "$top=-1", "$top=NaN", "$top=1000000", "$top=128001", "$count=perhaps", "$expand=x", "$apply=x",
        "$filter=rating eq 'X'", "$filter=releaseDate eq 'soon'", "$filter=releaseDate eq 5", "$filter=cast('x',Edm.Date) eq releaseDate", "$filter=cast(year,Edm.Date) eq releaseDate",
        "$filter=cast(year,Edm.Nothing) eq 1", "$filter=cast(year) eq 1", "$filter=isof(year,Edm.Int32)", "$filter=tags/any(t: t eq 1)", "$filter=year has 1", "$filter=x.y eq 1",
        "$filter=year in ()", "$filter=year in 5", "$filter=year in (1", "$filter=key eq 5 add 1", "$filter=starts eq 2000-01-01", "$filter=2000-13-01 lt releaseDate",
        "$filter=starts lt 25:00", "$filter=lasts eq duration'1h'", "$filter=lasts eq 5", "$filter=releaseDate add 1 eq now()", "$filter=geo.distance(place,geography'POINT(1)') lt 1",
        "$filter=geo.distance(place,geography'POINT(181 0)') lt 1", "$filter=geo.distance(place,title) lt 1", "$filter=geo.distance(place) lt 1", "$filter=year in (1, 'x')",
        "$filter=rating add 1 eq 2", "$filter=cast(rating,Edm.String) eq 'R'", "$filter=true&$filter=true", "$top=1&$TOP=2"}) {
    const Found got = found(query);
    EXPECT_NE(got.error, "") << query;
    EXPECT_TRUE(got.ids.empty()) << query;
  }
}

/// The old dialects ask the same table in their own words, and what is new to them stays refused.
TEST_P(Movies, V1AndV2AskWithTheirOwnGrammar) {
  for (const Dialect dialect : {Dialect::v1, Dialect::v2}) {
    EXPECT_EQ(found("$filter=rating eq 'PG13' and (year gt 2000)&$top=500", dialect).ids,
              expected([](R r) { return r.movie->rating == Rating::pg13 && r.movie->year > 2000; }));
    EXPECT_EQ(found("$filter=(releaseDate ge datetime'2000-01-01T00:00:00.000Z')&$top=500", dialect).ids, expected([](R r) { return r.released >= date("2000-01-01"); }));
    EXPECT_EQ(found("$filter=studio ne 'UFA'&$top=500", dialect).ids, expected([](R r) { return r.studio && *r.studio != "UFA"; }));
    EXPECT_EQ(found("$filter=not (studio eq 'UFA')&$top=500", dialect).ids, expected([](R r) { return r.studio && *r.studio != "UFA"; }));
    EXPECT_EQ(found("$filter=duration div 60 eq 2&$top=500", dialect).ids, expected([](R r) { return r.movie->duration / 60 == 2; }));
    EXPECT_EQ(found("$inlinecount=allpages&$top=3", dialect).total, static_cast<std::int64_t>(kCount));
    EXPECT_EQ(found("", dialect).ids.size(), 50U);
    for (const char* query : {"$filter=contains(title,'a')", "$filter=year in (1,2)", "$filter=cast(1994-10-14,Edm.Date) eq releaseDate", "$filter=year EQ 1", "$filter=StartsWith(title,'a')",
                              "$filter=now() gt releaseDate", "$filter=year divby 2 eq 1", "$top=1001"})
      EXPECT_NE(found(query, dialect).error, "") << query;
  }
  EXPECT_EQ(found("$top=1000").error, "");
  EXPECT_EQ(found("").ids.size(), kCount);
  EXPECT_FALSE(found("").total);
  EXPECT_EQ(found("$top=512000&$count=true", Dialect::v3).total, static_cast<std::int64_t>(kCount));
}

TEST_P(Movies, OptionsArriveEncodedInAnyOrder) {
  const auto wanted = expected([](R r) { return r.movie->year == 1994 && contains(r, "'s"); });
  for (const Dialect dialect : {Dialect::v1, Dialect::v2, Dialect::v3, Dialect::v4}) {
    const Found got = found_raw("%24top=100&%24filter=substringof(%27%27%27s%27%2Ctitle)+and%20year%20eq%201.994E+3&%24skip=0", dialect);
    EXPECT_EQ(got.error, "");
    EXPECT_EQ(got.ids, wanted);
  }
}

MOVIES_ON_EVERY_ENGINE(Movies);

}  // namespace
}  // namespace mandate::tables::test
