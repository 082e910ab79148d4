#include "server/take_over.h"

#include <fcntl.h>
#include <unistd.h>

#include "server/handover_words.h"

namespace mandate::server {
namespace {
constexpr std::chrono::seconds kAnswer{30};
constexpr std::chrono::milliseconds kForever{-1};
}  // namespace

Result<std::unique_ptr<TakeOver>> TakeOver::ask(const std::string& path, bool alone, Log& log) {
  TRY(Channel dialled, Channel::dial(path));
  std::unique_ptr<TakeOver> out(new TakeOver(std::move(dialled), log));
  CHECK_OK(out->channel_.send(hello_text(alone)));
  // Another hand-over may be under way there.
  TRY(const Channel::Message told, out->channel_.receive(kAnswer));
  const Result<Offer> offer = offer_of(told.text, told.descriptors.size());
  if (!offer.ok()) {
    for (const int fd : told.descriptors) ::close(fd);
    return offer.error();
  }
  out->alone_ = offer->alone;
  out->sockets_.kept = offer->kept;
  const auto after_doors = told.descriptors.begin() + static_cast<std::ptrdiff_t>(offer->doors);
  out->sockets_.doors.assign(told.descriptors.begin(), after_doors);
  for (std::size_t i = 0; i < offer->names.size(); ++i) {
    const std::string& name = offer->names[i];
    int* place = name == "handover" ? &out->handover_ : name == "owner" ? &out->sockets_.owner : name == "observer" ? &out->sockets_.observer : nullptr;
    const int fd = after_doors[static_cast<std::ptrdiff_t>(i)];
    if (place && *place < 0) *place = fd;
    else ::close(fd);
  }
  return out;
}

TakeOver::~TakeOver() {
  if (!thread_.joinable()) return;
  (void)!::write(wake_[1], "x", 1);
  thread_.join();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

Result<void> TakeOver::let_go() {
  if (!alone_) return {};
  // The other one's death frees the stores as well.
  if (!channel_.send("let-go").ok()) return {};
  const auto answer = channel_.receive(kForever);
  if (!answer.ok() || answer->text == "yours") return {};
  return Error(Code::temporarily_unavailable, "The running server goes on: its requests in flight did not end in time. Try again, or raise its handover_limit.");
}

void TakeOver::done(http::Server& server) {
  if (::pipe2(wake_, O_CLOEXEC) != 0 || !channel_.send("done").ok()) return;
  attached_ = true;
  thread_ = std::thread([this, &server] {
    for (;;) {
      auto told = channel_.receive(kForever, wake_[0]);
      if (!told.ok()) break;
      const std::optional<PassedWords> passed = passed_of(told->text);
      if (passed && told->descriptors.size() == 1) {
        server.welcome({told->descriptors.front(), passed->secure, passed->owner, passed->address});
      } else {
        for (const int fd : told->descriptors) ::close(fd);
      }
    }
    attached_ = false;
    log_.info("handover.over");
  });
}

}  // namespace mandate::server
