// Films for queries: the columns of Community Datasync's own tests (mobile-backend-wire 9.4), facts everybody knows, and a few
// columns more for what the films do not have: nulls, times, places, durations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mandate::tables::test {

/// In the order that $orderby=rating gives.
enum class Rating { unrated, g, pg, pg13, nc17, r };
inline const std::vector<std::string> kRatings = {"Unrated", "G", "PG", "PG13", "NC17", "R"};

struct Movie {
  const char* title;
  int year;
  int duration;          ///< minutes
  Rating rating;
  const char* released;  ///< yyyy-MM-dd
  bool best_picture_winner;
};

inline constexpr Movie kMovies[] = {
    {"The Shawshank Redemption", 1994, 142, Rating::r, "1994-10-14", false},
    {"The Godfather", 1972, 175, Rating::r, "1972-03-24", true},
    {"The Godfather: Part II", 1974, 202, Rating::r, "1974-12-20", true},
    {"Pulp Fiction", 1994, 154, Rating::r, "1994-10-14", false},
    {"The Good, the Bad and the Ugly", 1966, 161, Rating::r, "1967-12-29", false},
    {"The Dark Knight", 2008, 152, Rating::pg13, "2008-07-18", false},
    {"12 Angry Men", 1957, 96, Rating::unrated, "1957-04-10", false},
    {"Schindler's List", 1993, 195, Rating::r, "1993-12-15", true},
    {"The Lord of the Rings: The Return of the King", 2003, 201, Rating::pg13, "2003-12-17", true},
    {"Fight Club", 1999, 139, Rating::r, "1999-10-15", false},
    {"Star Wars: Episode V - The Empire Strikes Back", 1980, 127, Rating::pg, "1980-05-21", false},
    {"One Flew Over the Cuckoo's Nest", 1975, 133, Rating::r, "1975-11-21", true},
    {"Inception", 2010, 148, Rating::pg13, "2010-07-16", false},
    {"Goodfellas", 1990, 146, Rating::r, "1990-09-21", false},
    {"Seven Samurai", 1954, 206, Rating::unrated, "1954-04-26", false},
    {"Star Wars", 1977, 121, Rating::pg, "1977-05-25", false},
    {"The Matrix", 1999, 136, Rating::r, "1999-03-31", false},
    {"Forrest Gump", 1994, 142, Rating::pg13, "1994-07-06", true},
    {"City of God", 2002, 130, Rating::r, "2002-08-31", false},
    {"Se7en", 1995, 127, Rating::r, "1995-09-22", false},
    {"The Silence of the Lambs", 1991, 118, Rating::r, "1991-02-14", true},
    {"Once Upon a Time in the West", 1968, 175, Rating::pg13, "1969-07-04", false},
    {"Casablanca", 1942, 102, Rating::pg, "1943-01-23", true},
    {"The Usual Suspects", 1995, 106, Rating::r, "1995-08-16", false},
    {"Raiders of the Lost Ark", 1981, 115, Rating::pg, "1981-06-12", false},
    {"Rear Window", 1954, 112, Rating::pg, "1954-09-01", false},
    {"Psycho", 1960, 109, Rating::r, "1960-09-08", false},
    {"It's a Wonderful Life", 1946, 130, Rating::pg, "1947-01-07", false},
    {"L\xC3\xA9on: The Professional", 1994, 110, Rating::r, "1994-11-18", false},
    {"Sunset Blvd.", 1950, 110, Rating::unrated, "1950-08-10", false},
    {"Am\xC3\xA9lie", 2001, 122, Rating::r, "2001-11-02", false},
    {"American Beauty", 1999, 122, Rating::r, "1999-10-01", true},
    {"American History X", 1998, 119, Rating::r, "1998-11-20", false},
    {"Memento", 2000, 113, Rating::r, "2001-05-25", false},
    {"Apocalypse Now", 1979, 147, Rating::r, "1979-08-15", false},
    {"The Pianist", 2002, 150, Rating::r, "2003-03-28", false},
    {"Alien", 1979, 117, Rating::r, "1979-06-22", false},
    {"WALL\xC2\xB7" "E", 2008, 98, Rating::g, "2008-06-27", false},
    {"Spirited Away", 2001, 125, Rating::pg, "2001-07-20", false},
    {"Modern Times", 1936, 87, Rating::g, "1936-02-25", false},
    {"City Lights", 1931, 87, Rating::g, "1931-03-07", false},
    {"Gone with the Wind", 1939, 238, Rating::g, "1940-01-17", true},
    {"The Wizard of Oz", 1939, 102, Rating::g, "1939-08-25", false},
    {"Toy Story", 1995, 81, Rating::g, "1995-11-22", false},
    {"Toy Story 3", 2010, 103, Rating::g, "2010-06-18", false},
    {"Finding Nemo", 2003, 100, Rating::g, "2003-05-30", false},
    {"Up", 2009, 96, Rating::pg, "2009-05-29", false},
    {"Ratatouille", 2007, 111, Rating::g, "2007-06-29", false},
    {"2001: A Space Odyssey", 1968, 149, Rating::g, "1968-04-12", false},
    {"Lawrence of Arabia", 1962, 216, Rating::pg, "1962-12-11", true},
    {"Gladiator", 2000, 155, Rating::r, "2000-05-05", true},
    {"Braveheart", 1995, 178, Rating::r, "1995-05-24", true},
    {"Unforgiven", 1992, 130, Rating::r, "1992-08-07", true},
    {"Platoon", 1986, 120, Rating::r, "1987-02-06", true},
    {"Rocky", 1976, 120, Rating::pg, "1976-12-03", true},
    {"Annie Hall", 1977, 93, Rating::pg, "1977-04-20", true},
    {"Amadeus", 1984, 160, Rating::r, "1984-09-19", true},
    {"Gandhi", 1982, 191, Rating::pg, "1982-12-08", true},
    {"The Sting", 1973, 129, Rating::pg, "1973-12-25", true},
    {"On the Waterfront", 1954, 108, Rating::unrated, "1954-07-28", true},
    {"All About Eve", 1950, 138, Rating::unrated, "1951-01-15", true},
    {"Rebecca", 1940, 130, Rating::unrated, "1940-04-12", true},
    {"It Happened One Night", 1934, 105, Rating::unrated, "1934-02-23", true},
    {"The Bridge on the River Kwai", 1957, 161, Rating::pg, "1957-12-14", true},
    {"The Apartment", 1960, 125, Rating::unrated, "1960-06-30", true},
    {"Ben-Hur", 1959, 212, Rating::g, "1959-11-18", true},
    {"No Country for Old Men", 2007, 122, Rating::r, "2007-11-21", true},
    {"The King's Speech", 2010, 118, Rating::r, "2010-12-24", true},
    {"Slumdog Millionaire", 2008, 120, Rating::r, "2008-12-25", true},
    {"The Hurt Locker", 2008, 131, Rating::r, "2009-07-31", true},
    {"The Artist", 2011, 100, Rating::pg13, "2012-01-20", true},
    {"The Avengers", 2012, 143, Rating::pg13, "2012-05-04", false},
    {"Avatar", 2009, 162, Rating::pg13, "2009-12-18", false},
    {"Jaws", 1975, 124, Rating::pg, "1975-06-20", false},
    {"Jurassic Park", 1993, 127, Rating::pg13, "1993-06-11", false},
    {"Die Hard", 1988, 132, Rating::r, "1988-07-20", false},
    {"Heat", 1995, 170, Rating::r, "1995-12-15", false},
    {"M", 1931, 117, Rating::unrated, "1931-08-31", false},
    {"Metropolis", 1927, 153, Rating::unrated, "1927-03-13", false},
    {"Sherlock Jr.", 1924, 45, Rating::unrated, "1924-05-11", false},
    {"The Kid", 1921, 68, Rating::unrated, "1921-02-06", false},
    {"Showgirls", 1995, 131, Rating::nc17, "1995-09-22", false},
    {"Henry & June", 1990, 136, Rating::nc17, "1990-10-05", false},
    {"Crash", 1996, 100, Rating::nc17, "1997-03-21", false},
};

}  // namespace mandate::tables::test
