#include "http/outbound/transfers.h"

#include <curl/curl.h>

#include <vector>

namespace mandate::http::outbound {
namespace {
constexpr long kKeptConnections = 16;
}

struct Transfers::Callbacks {
  static int socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    static_cast<Transfers*>(self)->watch(fd, what);
    return 0;
  }
  static int timer(CURLM*, long milliseconds, void* self) {
    static_cast<Transfers*>(self)->set_timer(milliseconds);
    return 0;
  }
};

Transfers::Transfers(Loop& loop) : loop_(loop) {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)kStarted;
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Callbacks::socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Callbacks::timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kKeptConnections);
}

Transfers::~Transfers() {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  timer_.reset();
  sockets_.clear();
  curl_multi_cleanup(multi_);
}

Task<int> Transfers::run(void* easy) {
  Signal<int> done;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &done);
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) co_return static_cast<int>(CURLE_FAILED_INIT);
  Result<int> code = co_await done;
  curl_multi_remove_handle(multi_, easy);
  co_return code;
}

void Transfers::watch(int fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    sockets_.erase(fd);
    return;
  }
  Socket& socket = sockets_[fd];
  const bool read = what & CURL_POLL_IN, write = what & CURL_POLL_OUT;
  if (!read) socket.read.reset();
  if (!write) socket.write.reset();
  if (read && !socket.read) socket.read = loop_.when_readable(fd, [this, fd] { act(fd, CURL_CSELECT_IN); });
  if (write && !socket.write) socket.write = loop_.when_writable(fd, [this, fd] { act(fd, CURL_CSELECT_OUT); });
}

void Transfers::set_timer(long milliseconds) {
  timer_.reset();
  if (milliseconds < 0) return;
  timer_ = loop_.after(std::chrono::milliseconds(milliseconds), [this] { act(CURL_SOCKET_TIMEOUT, 0); });
}

void Transfers::act(int fd, int what) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, what, &running);
  // Gathered first: who is resumed may start or end transfers.
  std::vector<std::pair<Signal<int>*, int>> done;
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Signal<int>* signal = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &signal);
    if (signal) done.emplace_back(signal, static_cast<int>(message->data.result));
  }
  for (auto& [signal, code] : done) signal->set_here(code);
}

}  // namespace mandate::http::outbound
