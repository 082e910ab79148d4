#include "move.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>
#include <vector>

#include "base/url.h"
#include "owner_socket.h"

namespace mandate::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kFailed = 1, kUnreachable = 3;

int complain(const std::string& line, int status = kFailed) {
  std::cerr << "mandate: " << line << "\n";
  return status;
}

/// The server's program: beside this one, where the build puts it, or by the search path.
std::string server_program() {
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& place : {here / "mandated", here.parent_path() / "src" / "mandated"})
    if (::access(place.c_str(), X_OK) == 0) return place.string();
  return "mandated";
}

/// Nobody serves the data: the server's program itself moves it, in this process's place.
int run_server_program(const MoveOrder& order) {
  std::vector<std::string> arguments{server_program(), "move", "--from", order.from, "--to", order.to};
  if (!order.schema.empty()) arguments.insert(arguments.end(), {"--store-schema", order.schema});
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  ::execvp(raw[0], raw.data());
  return complain("mandated cannot be started: it is neither beside this program nor in the search path", kUnreachable);
}

/// Prints what is new; the number of the next line.
std::size_t print_lines(const JsonObject& progress) {
  const Json* lines = progress.if_contains("lines");
  if (lines && lines->is_array())
    for (const Json& line : lines->get_array())
      if (line.is_string()) std::cout << std::string_view(line.get_string()) << "\n";
  std::cout.flush();
  return static_cast<std::size_t>(integer_member(progress, "next").value_or(0));
}

int follow(const OwnerSocket& server, Result<Json> progress) {
  std::size_t next = 0;
  while (progress.ok() && progress->is_object()) {
    const JsonObject& now = progress->get_object();
    next = print_lines(now);
    const std::string state(text_member(now, "state").value_or(""));
    if (state == "moved") return 0;
    if (state != "moving") return complain(std::string(text_member(now, "problem").value_or("the move ended")));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    progress = server.ask("GET", "/admin/move?after=" + std::to_string(next));
  }
  return complain("the server went away before the move was done: run it again", kUnreachable);
}

}  // namespace

int move(const MoveOrder& order) {
  if (!order.from.starts_with("sqlite:")) return run_server_program(order);
  const std::string directory = order.from.substr(7);
  const OwnerSocket server(order.socket.empty() ? directory + "/admin.sock" : order.socket);
  std::error_code failed;
  const std::string whole = fs::absolute(directory, failed).string();
  JsonObject body{{"from", "sqlite:" + whole}, {"to", order.to}};
  if (!order.schema.empty()) body["schema"] = order.schema;
  Result<Json> begun = server.ask("POST", "/admin/move", to_json(body));
  if (begun.ok()) {
    const int status = follow(server, std::move(begun));
    if (status == 0) std::cout << "The server answers reads until it is restarted with --store; changes are refused with 503.\n";
    return status;
  }
  // Nobody there: whoever holds the files would keep the other from them.
  if (begun.error().code == Code::temporarily_unavailable) return run_server_program(order);
  return complain(begun.error().hint);
}

}  // namespace mandate::cli
