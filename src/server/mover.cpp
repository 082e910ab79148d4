#include "server/mover.h"

#include <algorithm>
#include <filesystem>

#include "base/url.h"
#include "store/postgres/move.h"

namespace mandate::server {

namespace fs = std::filesystem;

std::string MovePlace::shown() const {
  if (sqlite()) return "sqlite:" + directory;
  const std::string place = without_password(url);
  return place.substr(0, place.find('?')) + (schema == "mandate" ? "" : " --store-schema " + schema);
}

Result<MovePlace> move_place(const std::string& text, const std::string& schema) {
  MovePlace place;
  place.schema = schema.empty() ? "mandate" : schema;
  if (text.starts_with("postgres://") || text.starts_with("postgresql://")) {
    place.url = text;
    return place;
  }
  std::error_code ignored;
  if (text.starts_with("sqlite:") && text.size() > 7) {
    place.directory = fs::weakly_canonical(text.substr(7), ignored).string();
    while (place.directory.size() > 1 && place.directory.ends_with('/')) place.directory.pop_back();
    if (!place.directory.empty()) return place;
  }
  return Error(Code::invalid_request, "A place is sqlite:DIRECTORY or postgres://…, not " + without_password(text) + ".");
}

Mover::Mover(store::SqliteSource& source, store::PostgresOptions postgres, std::vector<store::Migration> migrations, const Clock& clock,
             Random& random, Log& log)
    : source_(source), postgres_(std::move(postgres)), clock_(clock), random_(random), log_(log), migrations_(std::move(migrations)) {}

void Mover::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

Result<void> Mover::start(const std::string& from, const std::string& to, const std::string& schema) {
  TRY(const MovePlace here, move_place(from, schema));
  TRY(const MovePlace there, move_place(to, schema));
  if (!here.sqlite() || there.sqlite())
    return Error(Code::invalid_request, "A running server moves its SQLite files to PostgreSQL; the way back is gone without it.");
  TRY(const MovePlace mine, move_place("sqlite:" + source_.directory(), ""));
  if (here.directory != mine.directory)
    return Error(Code::invalid_request, "This server's data is in " + mine.directory + ", not in " + here.directory + ".");
  const std::lock_guard lock(mutex_);
  if (stop_) return Error(Code::temporarily_unavailable, "The server stops.");
  if (state_ == "moving") return Error(Code::conflict, "A move is under way already.");
  if (thread_.joinable()) thread_.join();
  state_ = "moving";
  problem_.clear();
  lines_.clear();
  thread_ = std::thread([this, here, there] {
    const Result<void> moved = move(here, there);
    const std::lock_guard lock(mutex_);
    state_ = moved.ok() ? "moved" : "failed";
    if (moved.ok()) return log_.info("move.done", {{"to", there.shown()}});
    problem_ = moved.error().hint.empty() ? moved.error().detail : moved.error().hint;
    log_.error("move.failed", {{"problem", problem_}, {"detail", moved.error().detail}});
  });
  return {};
}

Result<void> Mover::move(const MovePlace& from, const MovePlace& to) {
  store::PostgresOptions postgres = postgres_;
  postgres.url = to.url;
  postgres.schema = to.schema;
  postgres.clock = &clock_;
  postgres.random = &random_;
  Metrics apart;  // the target serves nobody yet
  const auto target = store::postgres_target(std::move(postgres), migrations_, log_, apart);
  store::MoveOptions options;
  options.stop = &stop_;
  const store::SayMove say = [this](const std::string& line) { this->say(line); };
  log_.info("move.started", {{"to", to.shown()}});
  return store::move_all(source_, *target, random_.hex(8), from.shown(), to.shown(), options, say);
}

void Mover::say(const std::string& line) {
  log_.info("move", {{"line", line}});
  const std::lock_guard lock(mutex_);
  lines_.push_back(line);
}

JsonObject Mover::progress(std::size_t after) const {
  const std::lock_guard lock(mutex_);
  JsonArray lines;
  for (std::size_t i = after; i < lines_.size(); ++i) lines.emplace_back(lines_[i]);
  return {{"state", state_}, {"lines", std::move(lines)}, {"next", lines_.size()}, {"problem", problem_}};
}

}  // namespace mandate::server
