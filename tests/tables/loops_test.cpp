// Several loops, each on its own thread, read and write the same tables at once, as they do in a server.
#include <set>
#include <thread>

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

constexpr int kLoops = 4;

class Loops : public World {
 protected:
  using Send = std::function<Reply(http::Method, std::string, Headers, std::string)>;

  /// Runs `work` on kLoops threads with a loop each and waits for all.
  void on_every_loop(const std::function<void(int, const Send&)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kLoops; ++i)
      threads.emplace_back([this, i, &work] {
        mandate::test::TestLoop mine(static_cast<std::size_t>(i) + 1);
        work(i, [this, &mine](http::Method method, std::string target, Headers headers, std::string body) {
          auto out = run(mine, exchange(method, std::move(target), std::move(headers), std::move(body)));
          return out.ok() ? *std::move(out) : Reply{};
        });
      });
    for (std::thread& thread : threads) thread.join();
  }

  /// The body as an object; an empty one when it is none.
  static JsonObject object_of(const Reply& reply) {
    auto parsed = parse_json(reply.body);
    return parsed.ok() && parsed->is_object() ? parsed->get_object() : JsonObject();
  }
};

TEST_F(Loops, WhatOneLoopWroteEveryLoopReadsAtOnceAndNothingIsLostOrDoubled) {
  std::mutex mutex;
  std::set<std::string> made;
  std::atomic<int> wrong{0};
  on_every_loop([&](int me, const Send& send) {
    for (int i = 0; i < 25; ++i) {
      // A column of its own for each loop, and one that all bring at the same time: the table grows under everybody.
      const std::string body =
          "{\"n\":" + std::to_string(i) + ",\"loop" + std::to_string(me) + "\":true,\"shared" + std::to_string(i % 5) + "\":1}";
      const Reply inserted = send(http::Method::post, "/tables/Items", v2(), body);
      const std::string id(text_member(object_of(inserted), "id").value_or(""));
      if (inserted.status != 201 || id.empty()) ++wrong;
      std::string known;
      {
        const std::lock_guard lock(mutex);
        wrong += !made.insert(id).second;
        known = *made.begin();  // somebody's, acknowledged
      }
      if (send(http::Method::get, "/tables/Items/" + id, v2(), "").status != 200) ++wrong;
      if (send(http::Method::get, "/tables/Items/" + known, v2(), "").status != 200) ++wrong;
      if (i % 5 == 0 &&
          send(http::Method::get, "/tables/Items?$filter=n%20ge%200&$top=3&$inlinecount=allpages", v2(), "").status != 200)
        ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(made.size(), static_cast<std::size_t>(kLoops * 25));
  std::set<std::string> versions, times;
  const Reply all = get("/tables/Items?$top=1000");
  const Json rows = all.json();
  ASSERT_EQ(rows.get_array().size(), made.size());
  for (const Json& row : rows.get_array()) {
    versions.emplace(*text_member(row.get_object(), "version"));
    times.emplace(*text_member(row.get_object(), "updatedAt"));
  }
  EXPECT_EQ(versions.size(), made.size()) << "two rows share a version";
  EXPECT_EQ(times.size(), made.size()) << "two rows share updatedAt, which grows strictly in a table";
}

TEST_F(Loops, OfSeveralWritersOnTheSameVersionExactlyOneWins) {
  ASSERT_EQ(post("/tables/Items", R"({"id":"counter","n":0})").status, 201);
  constexpr int kEach = 12;
  std::atomic<int> wins{0}, strange{0};
  on_every_loop([&](int, const Send& send) {
    for (int done = 0, tries = 0; done < kEach && tries < 2000; ++tries) {
      const Reply seen = send(http::Method::get, "/tables/Items/counter", v2(), "");
      const JsonObject row = object_of(seen);
      const auto n = row.if_contains("n");
      if (!n || seen.status != 200) {
        ++strange;
        return;
      }
      const std::string next = std::to_string(n->to_number<std::int64_t>() + 1);
      const Reply changed =
          send(http::Method::patch, "/tables/Items/counter", v2({{"If-Match", seen.header("ETag")}}), "{\"n\":" + next + "}");
      if (changed.status == 200) ++done, ++wins;
      else if (changed.status != 412) ++strange;
    }
  });
  EXPECT_EQ(strange, 0);
  EXPECT_EQ(wins, kLoops * kEach);
  EXPECT_EQ(get("/tables/Items/counter").object().at("n").to_number<int>(), kLoops * kEach) << "an increment was lost";
}

TEST_F(Loops, ARowIsMadeOnceAndDeletedOnceHoweverManyTry) {
  constexpr int kRounds = 15;
  std::atomic<int> made{0}, deleted{0}, strange{0};
  on_every_loop([&](int, const Send& send) {
    for (int i = 0; i < kRounds; ++i) {
      const int status = send(http::Method::post, "/tables/Items", v2(), "{\"id\":\"row" + std::to_string(i) + "\"}").status;
      if (status == 201) ++made;
      else if (status != 409) ++strange;
    }
  });
  on_every_loop([&](int, const Send& send) {
    for (int i = 0; i < kRounds; ++i) {
      const int status = send(http::Method::delete_, "/tables/Items/row" + std::to_string(i), v2(), "").status;
      if (status == 200 || status == 204) ++deleted;
      else if (status != 404 && status != 410) ++strange;
    }
  });
  EXPECT_EQ(made, kRounds);
  EXPECT_EQ(deleted, kRounds);
  EXPECT_EQ(strange, 0);
}

TEST_F(Loops, TokensAreCheckedAlikeOnEveryLoop) {
  ASSERT_EQ(post("/tables/Items", R"({"id":"a"})").status, 201);
  std::atomic<int> wrong{0};
  on_every_loop([&](int me, const Send& send) {
    for (int i = 0; i < 20; ++i) {
      const std::string user = "Custom:user" + std::to_string(me);
      const Reply with_token = send(http::Method::get, "/tables/Items/a", as(user), "");
      const Reply with_false = send(http::Method::get, "/tables/Items/a", v2({{"X-ZUMO-AUTH", "a.b.c"}}), "");
      if (with_token.status != 200 || with_false.status != 401) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace mandate::tables::test
