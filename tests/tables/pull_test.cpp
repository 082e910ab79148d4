// A pull while others write loses nothing, in each of the five ways that clients pull (mobile-backend-wire 9.1, check 9).
#include <random>

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

constexpr int kRows = 1000, kWriters = 4, kBefore = 300;

struct Held {
  std::string version;
  bool deleted = false;
  bool operator==(const Held&) const = default;
};
using Replica = std::map<std::string, Held, std::less<>>;

class Pulls : public World {
 protected:
  /// One client: its replica, and what it remembers between pulls.
  struct Client {
    std::string stamp;
    Replica rows;
  };

  /// One page a tick: a read completes at once, and those who write want their turn.
  Task<JsonArray> page(std::string target, Headers headers, std::string& link) {
    Task<void> turn = sleep_for(std::chrono::milliseconds(0));
    CO_CHECK(co_await turn);
    Task<Reply> asking = exchange(http::Method::get, std::move(target), std::move(headers), "");
    CO_TRY(const Reply reply, co_await asking);
    if (reply.status != 200) co_return Error(Code::server_error, reply.body);
    Json body = reply.json();
    link = std::string(reply.headers.get("Link").substr(0, reply.headers.get("Link").find(';')));
    if (body.is_array()) co_return std::move(body.get_array());
    JsonObject& object = body.get_object();
    link = std::string(text_member(object, "nextLink").value_or(""));
    co_return std::move(object["items"].get_array());
  }

  static std::string stamp_of(const Json& row, bool v1) {
    return std::string(*text_member(row.get_object(), v1 ? "__updatedAt" : "updatedAt"));
  }
  static void keep(Client& client, const JsonArray& rows, bool v1) {
    for (const Json& row : rows) {
      const JsonObject& object = row.get_object();
      client.rows[std::string(*text_member(object, "id"))] = {std::string(*text_member(object, v1 ? "__version" : "version")),
                                                              *bool_member(object, v1 ? "__deleted" : "deleted")};
    }
  }
  static std::string path_of(std::string_view link) { return std::string(link.substr(link.find("/v"))); }

  /// V1 on every platform and V2 in JavaScript: from the last stamp, and by $skip while it stands still.
  Task<void> pull_by_stamp(Client& client, bool v1) {
    std::string stamp = client.stamp.empty() ? "1970-01-01T00:00:00.000Z" : client.stamp;
    std::size_t skip = 0;
    for (;;) {
      const std::string name = v1 ? "__updatedAt" : "updatedAt";
      std::string target = std::string(v1 ? "/v1" : "/v2") + "/tables/items?$filter=(" + name + "%20ge%20datetimeoffset'" + stamp + "')&$orderby=" + name +
                           "&$skip=" + std::to_string(skip) + "&$top=50&__includeDeleted=true" + (v1 ? "&__systemProperties=*" : "");
      std::string link;
      Task<JsonArray> asking = page(std::move(target), {}, link);
      CO_TRY(const JsonArray rows, co_await asking);
      if (rows.empty()) break;
      keep(client, rows, v1);
      const std::string last = stamp_of(rows.back(), v1);
      skip = last == stamp ? skip + rows.size() : 0;
      stamp = last;
    }
    client.stamp = stamp;
    co_return ok();
  }

  /// V2 in .NET: by Link while there is one, then from the largest stamp.
  Task<void> pull_by_link(Client& client) {
    std::string stamp = client.stamp.empty() ? "1970-01-01T00%3A00%3A00.0000000%2B00%3A00" : client.stamp;
    std::string target;
    std::size_t skip = 0;
    for (;;) {
      if (target.empty())
        target = "/v2/tables/items?$filter=(updatedAt%20ge%20datetimeoffset'" + stamp + "')&$orderby=updatedAt&$skip=" + std::to_string(skip) +
                 "&$top=50&__includeDeleted=true";
      std::string link;
      Task<JsonArray> asking = page(std::move(target), {}, link);
      CO_TRY(const JsonArray rows, co_await asking);
      if (rows.empty()) break;
      keep(client, rows, false);
      target = link.empty() ? "" : path_of(link);
      const std::string last = stamp_of(rows.back(), false);
      skip = last == stamp ? skip + rows.size() : 0;
      stamp = last;
    }
    client.stamp = stamp;
    co_return ok();
  }

  /// Datasync: by nextLink to its end, then from behind the largest stamp. V3 does not ask for deleted rows the first time.
  Task<void> pull_by_next(Client& client, bool v4) {
    const std::string collection = v4 ? "/v4/tables/items" : "/v3/tables/items";
    std::string query = "$orderby=updatedAt&$count=true";
    if (!client.stamp.empty()) query = "$filter=(updatedAt%20gt%20cast(" + client.stamp + ",Edm.DateTimeOffset))&" + query;
    if (v4 || !client.stamp.empty()) query += "&__includedeleted=true";
    std::string target = collection + "?" + query;
    while (!target.empty()) {
      std::string link;
      Task<JsonArray> asking = page(std::move(target), {}, link);
      CO_TRY(const JsonArray rows, co_await asking);
      keep(client, rows, false);
      for (const Json& row : rows) client.stamp = std::max(client.stamp, stamp_of(row, false));
      if (link.empty()) target = "";
      else target = v4 ? collection + "?" + link : path_of(link);
    }
    co_return ok();
  }

  Task<void> pull(int shape, Client& client) {
    Task<void> one = shape == 0   ? pull_by_stamp(client, true)
                     : shape == 1 ? pull_by_stamp(client, false)
                     : shape == 2 ? pull_by_link(client)
                                  : pull_by_next(client, shape == 4);
    CO_CHECK(co_await one);
    co_return ok();
  }

  /// Adds rows, and changes and deletes those that are there.
  Task<void> write(int writer) {
    std::minstd_rand chance(static_cast<unsigned>(writer) + 7);
    for (int i = kBefore + writer; i < kRows; i += kWriters) {
      std::string made = R"({"id":"r)" + std::to_string(i) + R"(","n":1})";
      Task<Reply> insert = exchange(http::Method::post, "/v2/tables/items", {}, std::move(made));
      CO_TRY(const Reply inserted, co_await insert);
      if (inserted.status != 201) co_return Error(Code::server_error, inserted.body);
      const std::string other = "/v2/tables/items/r" + std::to_string(chance() % static_cast<unsigned>(i));
      const bool removes = i % 3 == 0;
      Task<Reply> change = exchange(removes ? http::Method::delete_ : http::Method::patch, other, {}, removes ? "" : R"({"n":2})");
      CO_TRY(const Reply changed, co_await change);
      if (changed.status != 200 && changed.status != 404) co_return Error(Code::server_error, changed.body);
    }
    --writing_;
    co_return ok();
  }

  Task<void> keep_pulling(int shape, Client& client) {
    do {
      Task<void> one = pull(shape, client);
      CO_CHECK(co_await one);
    } while (writing_ > 0);
    Task<void> last = pull(shape, client);
    CO_CHECK(co_await last);
    co_return ok();
  }

  int writing_ = kWriters;
};

TEST_F(Pulls, LoseNothingWhileOthersWrite) {
  tenant::Table& items = service.tables.at("items");
  items.page_size = 40;  // more pages, more that can happen between them
  publish();
  std::vector<Task<Reply>> before;
  for (int i = 0; i < kBefore; ++i) before.push_back(exchange(http::Method::post, "/v2/tables/items", {}, R"({"id":"r)" + std::to_string(i) + R"(","n":0})"));
  for (const Reply& reply : send_together(std::move(before))) ASSERT_EQ(reply.status, 201);
  std::array<Client, 5> clients;
  std::size_t done = 0;
  const auto finished = [&done](Result<void> result) {
    EXPECT_TRUE(result.ok()) << result.error().hint;
    ++done;
  };
  for (int shape = 0; shape < 5; ++shape) spawn(keep_pulling(shape, clients[static_cast<std::size_t>(shape)]), finished);
  for (int writer = 0; writer < kWriters; ++writer) spawn(write(writer), finished);
  loop.run_until([&] { return done == clients.size() + kWriters; });

  Client truth;
  auto read = run(loop, pull_by_stamp(truth, false));
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(truth.rows.size(), static_cast<std::size_t>(kRows));
  constexpr const char* kShapes[] = {"V1", "V2 JavaScript", "V2 .NET", "V3", "V4"};
  for (std::size_t shape = 0; shape < clients.size(); ++shape)
    for (const auto& [id, row] : truth.rows) {
      const auto held = clients[shape].rows.find(id);
      const bool there = held != clients[shape].rows.end();
      if (row.deleted && !there) continue;  // it never heard of it
      EXPECT_TRUE(there && held->second == row) << kShapes[shape] << " lost " << id << (row.deleted ? ", which was deleted" : "");
    }
}

}  // namespace
}  // namespace mandate::tables::test
