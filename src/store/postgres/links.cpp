#include "store/postgres/links.h"

#include <algorithm>

namespace mandate::store::postgres {
namespace {

constexpr std::chrono::milliseconds kFirstPause{50}, kLongestPause{1000};

}  // namespace

void Links::start(std::function<void()> joined) {
  joined_ = std::move(joined);
  door_->loop = &loop_;
  dial();
}

void Links::close() {
  closed_ = true;
  {
    const std::lock_guard lock(door_->mutex);
    door_->loop = nullptr;
  }
  later_.reset();
  const auto all = std::exchange(all_, {});
  for (const auto& one : all) {
    if (one->link->open()) core_.links.add(-1);
    one->link->close();
  }
}

/// One at a time: where a server has too few for all, every node has one to read and one to write before any has two.
void Links::dial() {
  if (!closed_ && !later_ && dialling_ == 0 && all_.size() < count_) {
    ++dialling_;
    const std::weak_ptr<Links> self = weak_from_this();
    const auto queued = core_.waiting().submit([self, door = door_, core = &core_, writing = writing_] {
      {
        const std::lock_guard lock(door->mutex);
        if (!door->loop) return;  // nobody waits any more
      }
      auto dialled = std::make_shared<Result<Core::Writing>>([&]() -> Result<Core::Writing> {
        if (writing) return core->connect_to_write();
        TRY(Connection connection, core->connect());
        return Core::Writing{std::move(connection), {}};
      }());
      const std::lock_guard lock(door->mutex);
      if (!door->loop) return;
      door->loop->post([self, dialled] {
        if (const auto alive = self.lock()) alive->adopt(std::move(*dialled));
      });
    });
    if (!queued.ok()) --dialling_;
  }
}

void Links::adopt(Result<Core::Writing> dialled) {
  --dialling_;
  if (closed_) return;
  if (dialled.ok()) {
    auto one = std::make_shared<Joined>();
    one->link = std::make_shared<Link>(loop_, std::move(dialled->connection));
    one->stream = std::move(dialled->stream);
    const std::weak_ptr<Links> self = weak_from_this();
    const Joined* who = one.get();
    const Result<void> started = one->link->start([self, who] {
      if (const auto alive = self.lock()) alive->left(who);
    });
    if (started.ok()) {
      if (!trouble_.empty()) core_.log().info("store.connected");
      trouble_.clear();
      pause_ = std::chrono::milliseconds(0);
      core_.links.add(1);
      all_.push_back(std::move(one));
      dial();
      return joined_();
    }
    dialled = started.error();
  }
  if (trouble_.empty()) core_.log().error("store.unreachable", {{"detail", dialled.error().detail}});
  trouble_ = dialled.error().detail;
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  if (later_) return;
  const std::weak_ptr<Links> self = weak_from_this();
  later_ = loop_.after(pause_, [self] {
    const auto alive = self.lock();
    if (!alive) return;
    alive->later_.reset();
    alive->dial();
  });
}

/// Called while the link closes: it lets go of itself only afterwards.
void Links::left(const Joined* who) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one.get() == who; });
  if (found == all_.end()) return;  // let go of on purpose
  core_.links.add(-1);
  core_.lost_links.add();
  core_.log().warn("store.connection_lost");
  const std::shared_ptr<Joined> keep = *found;
  all_.erase(found);
  loop_.post([keep, self = weak_from_this()] {
    if (const auto alive = self.lock()) alive->dial();
  });
}

void Links::look_after(std::chrono::milliseconds limit) {
  const auto now = std::chrono::steady_clock::now();
  const auto all = all_;
  for (const auto& one : all) {
    if (one->link->oldest() != kNoDeadline && now - one->link->oldest() > limit) one->link->close();
    if (!one->link->open() || !one->link->worn() || one->busy || one->link->under_way() > 0) continue;
    std::erase(all_, one);
    one->link->close();
    core_.links.add(-1);
    dial();
  }
}

}  // namespace mandate::store::postgres
