#include "server/keeper.h"

#include <future>
#include <thread>

namespace mandate::server {
namespace {

constexpr std::chrono::milliseconds kLook{2};

/// Runs it on that loop and waits for what it says.
template <class F>
auto on(Loop& loop, F act) {
  std::promise<decltype(act())> told;
  auto answer = told.get_future();
  loop.post([&] { told.set_value(act()); });
  return answer.get();
}

}  // namespace

Task<void> Keeper::open() {
  Task<void> opening = house_->open();
  auto opened = co_await opening;
  if (opened.ok()) house_->start_upkeep(*Loop::current());
  co_return opened;
}

bool Keeper::ready() const {
  const std::lock_guard lock(mutex_);
  return house_ && house_->ready();
}

bool Keeper::working() const {
  const std::lock_guard lock(mutex_);
  return house_ && house_->working();
}

void Keeper::leave() {
  const std::lock_guard lock(mutex_);
  if (house_) house_->leave();
}

void Keeper::stop() {
  if (house_) house_->stop();
}

bool Keeper::close(http::Server& server, std::chrono::milliseconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  const std::vector<Loop*> loops = server.loops();
  Loop& home = *loops.front();
  const auto stopped = [&] {
    if (!server.quiet() || house_->working()) return false;
    house_->stop();
    return true;
  };
  if (house_->moving()) return false;
  while (!on(home, stopped)) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kLook);
  }
  // What a tick leaves for its end, and what that posts, is done when every loop has come round twice.
  for (int round = 0; round < 2; ++round)
    for (Loop* loop : loops) on(*loop, [] { return true; });
  return on(home, [&] {
    const std::lock_guard lock(mutex_);
    house_.reset();
    return true;
  });
}

Result<void> Keeper::open_again(http::Server& server) {
  std::promise<Result<void>> opened;
  server.loops().front()->post([&] {
    {
      const std::lock_guard lock(mutex_);
      house_ = build_();
    }
    spawn(open(), [&opened](Result<void> result) { opened.set_value(std::move(result)); });
  });
  CHECK_OK(opened.get_future().get());
  server.go_on(house_->routes(), house_->owner_routes());
  return {};
}

}  // namespace mandate::server
