#include "base/loop.h"

namespace mandate {
namespace {
thread_local Loop* here = nullptr;
}

Loop* Loop::current() { return here; }
void Loop::set_current(Loop* loop) { here = loop; }

}  // namespace mandate
