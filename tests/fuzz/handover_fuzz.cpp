// What the other process of an upgrade says: its first byte is the number of descriptors that come along. An offer that is
// taken names each of them once; what we say is understood as we meant it, also through a channel.
#include <sys/socket.h>

#include <cstdlib>

#include "server/channel.h"
#include "server/handover_words.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mandate::server;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (const auto offer = offer_of(text, data[0]); offer.ok()) {
    if (offer->doors == 0 || offer->doors + offer->names.size() != data[0]) std::abort();
    const auto again = offer_of(offer_text(*offer), data[0]);
    if (!again.ok() || again->alone != offer->alone || again->kept != offer->kept || again->doors != offer->doors || again->names != offer->names) std::abort();
  }
  if (const auto alone = hello_of(text); alone && hello_text(*alone) != text) std::abort();
  if (const auto passed = passed_of(text)) {
    const auto again = passed_of(passed_text(*passed));
    if (!again || again->owner != passed->owner || again->secure != passed->secure || again->address != passed->address) std::abort();
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  Channel here(ends[0]), there(ends[1]);
  if (!there.send(text).ok()) return 0;  // longer than a socket takes
  const auto heard = here.receive(std::chrono::seconds(1));
  const bool fits = !text.empty() && text.size() <= 4096;
  if (heard.ok() != fits || (fits && heard->text != text)) std::abort();
  return 0;
}
