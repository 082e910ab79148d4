#include "base/cpu_pool.h"

namespace mandate {

namespace {
using Seconds = std::chrono::duration<double>;
constexpr Seconds kNoWork{50e-6};  // a job whose deadline had passed says nothing about what jobs take
constexpr double kWeight = 0.1;
}  // namespace

CpuPool::CpuPool(std::size_t threads, std::size_t queue_limit, std::chrono::milliseconds longest_wait)
    : queue_limit_(queue_limit), longest_wait_(longest_wait) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

CpuPool::~CpuPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

Result<void> CpuPool::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || full()) return Error(Code::overloaded, "The server is busy.");
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return {};
}

bool CpuPool::full() const {
  if (queue_.size() >= queue_limit_) return true;
  if (longest_wait_.count() == 0) return false;
  return usual_ * static_cast<double>(queue_.size()) / static_cast<double>(threads_.size()) >= longest_wait_;
}

void CpuPool::work() {
  Seconds took{0};
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      if (took > kNoWork) usual_ = usual_.count() == 0 ? took : usual_ * (1 - kWeight) + took * kWeight;
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    const auto begin = std::chrono::steady_clock::now();
    job();
    took = std::chrono::steady_clock::now() - begin;
  }
}

}  // namespace mandate
