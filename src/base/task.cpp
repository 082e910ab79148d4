#include "base/task.h"

#include <array>
#include <new>

namespace mandate::detail {
namespace {

// Frames are small, short-lived and come in few sizes, so each thread keeps the last few of every size class.
// Sanitizers see plain new and delete.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MANDATE_PLAIN_FRAMES 1
#endif
#endif

#ifndef MANDATE_PLAIN_FRAMES
constexpr std::size_t kClass = 128, kClasses = 16, kKept = 64;

struct Bin {
  std::array<void*, kKept> frames;
  std::size_t count = 0;
};

struct Bins {
  std::array<Bin, kClasses> bins;
  ~Bins() {
    for (auto& bin : bins)
      while (bin.count) ::operator delete(bin.frames[--bin.count]);
  }
};

Bins& bins() {
  static thread_local Bins here;
  return here;
}
#endif

}  // namespace

void* PromiseBase::operator new(std::size_t size) {
#ifndef MANDATE_PLAIN_FRAMES
  std::size_t cls = (size - 1) / kClass;
  if (cls < kClasses) {
    Bin& bin = bins().bins[cls];
    if (bin.count) return bin.frames[--bin.count];
    return ::operator new((cls + 1) * kClass);
  }
#endif
  return ::operator new(size);
}

void PromiseBase::operator delete(void* frame, [[maybe_unused]] std::size_t size) {
#ifndef MANDATE_PLAIN_FRAMES
  std::size_t cls = (size - 1) / kClass;
  if (cls < kClasses) {
    Bin& bin = bins().bins[cls];
    if (bin.count < kKept) {
      bin.frames[bin.count++] = frame;
      return;
    }
  }
#endif
  ::operator delete(frame);
}

}  // namespace mandate::detail
