// A whole house in a test: an empty database, fixed clock and chance, the tenant of tests/wire/tenant.yaml.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>

#include "server/house.h"
#include "tables/code/folder.h"
#include "tests/support/database_under_test.h"

namespace mandate::wire {

namespace fs = std::filesystem;
inline const fs::path kFolder = fs::path(MANDATE_SOURCE_DIR) / "tests/wire";
inline constexpr std::string_view kHost = "demo.example";

inline std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A house with an empty database, fixed clock and chance, brought to tests/wire/tenant.yaml through the owner's door.
struct Fixture {
  explicit Fixture(identity::PasswordCost cost = {8192, 1}) {
    directory = fs::temp_directory_path() / ("mandate-wire-" + SystemRandom().hex(8));
    fs::create_directories(directory);
    fs::permissions(directory, fs::perms::owner_all);
    server::HouseOptions options;
    options.data_dir = directory / "data";
    options.store_url = database.url();
    fs::create_directories(options.data_dir);
    fs::permissions(options.data_dir, fs::perms::owner_all);
    options.master_key = std::string(32, 'k');
    options.password_cost = cost;
    options.workers = 1;
    options.default_tenant = "-";  // unknown host names get 421
    house = std::make_unique<server::House>(options, clock, random, log, metrics);
  }
  ~Fixture() {
    house.reset();
    std::error_code ignored;
    fs::remove_all(directory, ignored);
  }

  http::Request owner_request() { return owner_request(tenant_file); }
  http::Request owner_request(std::string_view file) {
    http::Request request;
    request.method = http::Method::post;
    request.target = request.path = "/admin/apply";
    request.host = "localhost";
    request.local_admin = true;
    request.body = file;  // borrowed
    request.headers.add("Content-Type", "application/yaml");
    return request;
  }

  /// The folder tests/wire/service, as the code of the service `coded`; or tests/wire/app, as that of `mobile`.
  http::Request deploy_request(bool app = false) {
    http::Request request;
    request.method = http::Method::post;
    request.target = request.path = app ? "/admin/services/mobile/deploy" : "/admin/services/coded/deploy";
    request.query = "tenant=demo";
    request.host = "localhost";
    request.local_admin = true;
    request.body = app ? app_folder : folder;  // borrowed
    return request;
  }
  static std::string folder_of(std::string_view name) {
    tables::code::Files files;
    for (const auto& entry : fs::recursive_directory_iterator(kFolder / name))
      if (entry.is_regular_file()) files[fs::relative(entry.path(), kFolder / name).string()] = read_file(entry.path());
    return tables::code::write_folder(files);
  }

  const std::string folder = folder_of("service"), app_folder = folder_of("app");
  const std::string tenant_file = read_file(kFolder / "tenant.yaml");
  ManualClock clock;
  SeededRandom random;
  std::vector<std::string> lines;
  Log log{clock, Level::info, [this](std::string_view line) {
            const std::lock_guard lock(lines_mutex);
            lines.emplace_back(line);
          }};
  std::mutex lines_mutex;
  Metrics metrics;
  fs::path directory;
  test::DatabaseUnderTest database;
  std::unique_ptr<server::House> house;
};

}  // namespace mandate::wire
