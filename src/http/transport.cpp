#include "http/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace mandate::http {

Transport::~Transport() { close(); }

void Transport::close() {
  if (ssl_) SSL_free(std::exchange(ssl_, nullptr));
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Transport::abort() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

int Transport::peek() const {
  unsigned char byte = 0;
  const ssize_t n = ::recv(fd_, &byte, 1, MSG_PEEK);
  if (n == 1) return byte;
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : -2;
}

bool Transport::start_tls(ssl_ctx_st* context) {
  ssl_ = SSL_new(context);
  if (!ssl_ || SSL_set_fd(ssl_, fd_) != 1) return false;
  SSL_set_accept_state(ssl_);
  return true;
}

Transport::Need Transport::need(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return Need::readable;
    case SSL_ERROR_WANT_WRITE: return Need::writable;
    default: return Need::closed;
  }
}

Transport::Need Transport::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  return result == 1 ? Need::nothing : need(result);
}

bool Transport::has_pending() const { return ssl_ && SSL_has_pending(ssl_); }

Transport::Moved Transport::read(char* to, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    const int n = SSL_read(ssl_, to, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
    if (n > 0) return {static_cast<std::size_t>(n), Need::nothing, false};
    return {0, need(n), false};
  }
  const ssize_t n = ::recv(fd_, to, size, 0);
  if (n > 0) return {static_cast<std::size_t>(n), Need::nothing, static_cast<std::size_t>(n) < size};
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {0, Need::readable, false};
  return {0, Need::closed, false};
}

Transport::Moved Transport::write(const char* from, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    const int n = SSL_write(ssl_, from, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
    if (n > 0) return {static_cast<std::size_t>(n), Need::nothing, false};
    return {0, need(n), false};
  }
  const ssize_t n = ::send(fd_, from, size, MSG_NOSIGNAL);
  if (n >= 0) return {static_cast<std::size_t>(n), Need::nothing, false};
  if (errno == EAGAIN || errno == EINTR) return {0, Need::writable, false};
  return {0, Need::closed, false};
}

Transport::Moved Transport::discard(char* scratch, std::size_t size) {
  const ssize_t n = ::recv(fd_, scratch, size, 0);
  if (n > 0) return {static_cast<std::size_t>(n), Need::nothing, static_cast<std::size_t>(n) < size};
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {0, Need::readable, false};
  return {0, Need::closed, false};
}

void Transport::finish() {
  if (ssl_ && SSL_is_init_finished(ssl_)) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace mandate::http
