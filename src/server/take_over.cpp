#include "server/take_over.h"

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

namespace mandate::server {
namespace {
constexpr std::chrono::seconds kAnswer{30};
constexpr std::chrono::milliseconds kForever{-1};
}  // namespace

Result<std::unique_ptr<TakeOver>> TakeOver::ask(const std::string& path, bool alone, Log& log) {
  TRY(Channel dialled, Channel::dial(path));
  std::unique_ptr<TakeOver> out(new TakeOver(std::move(dialled), log));
  CHECK_OK(out->channel_.send(std::string("mandate-handover 1 ") + (alone ? "alone" : "shared")));
  // Another hand-over may be under way there.
  TRY(const Channel::Message told, out->channel_.receive(kAnswer));
  std::istringstream words(told.text);
  std::string word, how, kept;
  std::size_t doors = 0, at = 0;
  words >> word >> how >> kept >> doors;
  std::vector<int*> places;
  for (std::string name; words >> name;)
    places.push_back(name == "handover" ? &out->handover_ : name == "owner" ? &out->sockets_.owner : name == "observer" ? &out->sockets_.observer : nullptr);
  if (word != "sockets" || doors == 0 || told.descriptors.size() != doors + places.size()) {
    for (const int fd : told.descriptors) ::close(fd);
    return Error(Code::bad_request, "The running server does not speak as this one does.", told.text);
  }
  out->alone_ = how == "alone";
  out->sockets_.kept = kept == "kept";
  for (; at < doors; ++at) out->sockets_.doors.push_back(told.descriptors[at]);
  for (int* place : places) {
    if (place) *place = told.descriptors[at++];
    else ::close(told.descriptors[at++]);
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
      std::istringstream words(told->text);
      std::string word, way, address;
      words >> word >> way >> address;
      if (word == "peer" && told->descriptors.size() == 1) {
        server.welcome({told->descriptors.front(), way == "secure", way == "owner", address});
      } else {
        for (const int fd : told->descriptors) ::close(fd);
      }
    }
    attached_ = false;
    log_.info("handover.over");
  });
}

}  // namespace mandate::server
