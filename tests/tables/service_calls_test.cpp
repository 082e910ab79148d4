// Hooks of tables whose service has a folder: what the configuration says runs, whatever the folder's files are.
#include "tables/service_calls.h"

#include <gmock/gmock.h>

#include "tables/extensions.h"
#include "tables/scripted.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

/// A folder in memory. The first call of each version has to load it.
class Folder final : public CodeFiles {
 public:
  std::optional<scripts::BundlePtr> at_hand(const tenant::Tenant&, const tenant::Service&) override {
    if (!loaded) return std::nullopt;
    return files;
  }
  Task<scripts::BundlePtr> load(tenant::Here, const tenant::Service*) override {
    loaded = true;
    co_return files;
  }
  void hold(std::map<std::string, std::string, std::less<>> given) {
    loaded = false;
    files = std::make_shared<const scripts::Bundle>(scripts::Bundle{"folder" + std::to_string(++version), std::move(given)});
  }

  scripts::BundlePtr files;
  bool loaded = false;
  int version = 0;
};

class FolderHooks : public World {
 protected:
  FolderHooks() {
    router = std::make_unique<http::Router>();
    mount(*router, Deps{tenants, bearers, tables, script.get(), store.clock(), store.log(), store.metrics()});
  }
  ~FolderHooks() override {
    host->stop();
    loop.run_until([this] { return script_lines.idle(); });
  }
  /// The hooks that the configuration has.
  void configured(const std::string& source) {
    service.code.version = 1;
    service.tables.at("items").scripts["hooks"] = {source, ++version};
    publish();
  }
  Reply insert(std::string body) {
    http::Request request;
    request.method = http::Method::post;
    request.target = request.path = "/tables/Items";
    request.headers.add("ZUMO-API-VERSION", "2.0.0");
    request.body = body;
    request.host = kHost;
    auto response = run(loop, router->answer(request));
    EXPECT_TRUE(response.ok());
    return response.ok() ? Reply{response->status, std::move(response->headers), std::move(response->body)} : Reply{};
  }
  scripts::Call prepared() {
    scripts::Call out;
    EXPECT_TRUE(calls.prepare(out, tenants.here, tenants.here->services.at("default")));
    return out;
  }

  const std::string refuse = "exports.beforeInsert = function (ctx) { ctx.respond(403, { error: 'guarded' }); };";
  std::uint64_t version = 0;
  Folder folder;
  ServiceCalls calls{tenants, &folder};
  ScriptLog script_lines{store.clock(), store.log(), store.metrics()};
  std::unique_ptr<scripts::Host> host = scripts::make_host({.children = 1, .node = "node", .limits = {}, .run_as = {}}, store.log(), store.metrics());
  std::unique_ptr<Script> script = make_table_scripts(*host, tables, script_lines, {}, &calls);
  std::unique_ptr<http::Router> router;
};

TEST_F(FolderHooks, AreFoundHoweverTheFolderSpellsTheirFile) {
  for (const char* file : {"table/Items.js", "table/items.js", "Table/ITEMS.JS"}) {
    folder.hold({{file, refuse}});
    configured(refuse);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(insert("{}").status, 403) << file;
    EXPECT_EQ(prepared().bundle, folder.files) << "the folder has them as they are";
  }
}

TEST_F(FolderHooks, RunThoughTheFolderHasNoneOrOlderOnes) {
  folder.hold({{"shared/a.js", "exports.word = 'shared';"}});
  configured("var a = require('../shared/a');\nexports.beforeInsert = function (ctx) { ctx.respond(403, { error: a.word }); };");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(insert("{}").body, R"({"error":"shared"})");
  folder.hold({{"table/items.js", "exports.beforeInsert = function (ctx) { ctx.item.text = 'old'; };"}});
  configured(refuse);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(insert("{}").status, 403);
  configured("exports.beforeInsert = function (ctx) { ctx.item.text = 'new'; };");
  EXPECT_EQ(insert("{}").text("text"), "new");
}

TEST_F(FolderHooks, AreAmongTheFilesOfEveryCallOfTheService) {
  folder.hold({{"api/a.js", ""}, {"table/items.js", "old"}});
  configured(refuse);
  EXPECT_EQ(insert("{}").status, 403);
  const scripts::BundlePtr whole = prepared().bundle;
  EXPECT_EQ(whole->files.size(), 2U);
  EXPECT_EQ(whole->files.at("table/items.js"), refuse);
  EXPECT_NE(whole->version, folder.files->version);
  EXPECT_EQ(prepared().bundle, whole) << "made once";
  publish();
  EXPECT_EQ(prepared().bundle, whole) << "and kept while neither changes";
  configured(refuse + "//");
  EXPECT_NE(prepared().bundle->version, whole->version);
}

TEST_F(FolderHooks, PushIsAskedHoweverItsFileIsSpelt) {
  folder.hold({{"extensions/Push.js", "exports.register = function (registration, context, done) { done('log in first') };"}});
  service.code.version = 1;
  publish();
  Extensions extensions(*host, tables, script_lines, calls);
  const auto tags = run(loop, extensions.on_register(tenants.here, &tenants.here->services.at("default"), {}, JsonObject{{"tags", JsonArray{"a"}}}));
  ASSERT_FALSE(tags.ok());
  EXPECT_EQ(tags.error().hint, "log in first");
}

}  // namespace
}  // namespace mandate::tables::test
