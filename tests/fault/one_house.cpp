#include "tests/fault/one_house.h"

#include <fstream>

namespace mandate::test {

void OneHouse::open(server::HouseOptions options) {
  options.data_dir = directory.path();
  options.master_key = std::string(32, 'k');
  options.password_cost = {8192, 1};
  options.workers = 1;
  house = std::make_unique<server::House>(options, clock, random, log, metrics);
  const auto opened = run(loop, house->open());
  ASSERT_TRUE(opened.ok()) << opened.error().hint << opened.error().detail;
  std::ifstream in(std::string(MANDATE_SOURCE_DIR) + "/tests/wire/tenant.yaml");
  const std::string file(std::istreambuf_iterator<char>(in), {});
  const auto applied = send(*house->owner_routes(), http::Method::post, "/admin/apply", {{"Content-Type", "application/yaml"}}, file);
  ASSERT_EQ(applied.status, 200) << applied.body;
}

void OneHouse::close() {
  if (!house) return;
  house->stop();
  for (int i = 0; i < 3; ++i) (void)run(loop, sleep_for(std::chrono::milliseconds(1)));
  house.reset();
}

http::Response OneHouse::send(const http::Router& router, http::Method method, const std::string& path, const Headers& headers, const std::string& body) {
  http::Request request;
  request.method = method;
  request.target = request.path = path;
  request.host = "localhost";
  request.secure = request.local_admin = true;
  request.peer = "192.0.2.7";
  request.deadline = std::chrono::steady_clock::now() + patience;
  request.body = body;
  for (const auto& [name, value] : headers) request.headers.add(name, value);
  auto answered = run(loop, router.answer(request));
  return answered.ok() ? std::move(*answered) : http::Response(0);
}

http::Response OneHouse::ask(http::Method method, const std::string& path, const std::string& body) {
  Headers headers{{"ZUMO-API-VERSION", "2.0.0"}};
  if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
  return send(*house->routes(), method, path, headers, body);
}

http::Response OneHouse::login() {
  return post("/oauth/ro",
              R"({"client_id":"todo","connection":"Username-Password-Authentication","username":"ana@example.org",)"
              R"("password":"correct horse battery staple","scope":"openid offline_access","device":"phone"})");
}

std::string OneHouse::member(const http::Response& response, std::string_view name) {
  const auto parsed = parse_json(response.body);
  return parsed.ok() && parsed->is_object() ? std::string(text_member(parsed->get_object(), name).value_or("")) : "";
}

void OneHouse::expect_refused(const http::Response& response, const char* what, std::string_view engine) {
  EXPECT_EQ(response.status, 503) << what << ": " << response.body;
  EXPECT_NE(response.headers.get("Retry-After"), "") << what;
  EXPECT_EQ(response.body.find(engine), std::string::npos) << what << " tells too much: " << response.body;
}

}  // namespace mandate::test
