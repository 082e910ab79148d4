// Messages with descriptors between two mandated of one user on one machine: a SOCK_SEQPACKET Unix socket.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace mandate::server {

/// Blocks; for threads of its own.
class Channel {
 public:
  struct Message {
    std::string text;
    std::vector<int> descriptors;  ///< owned by who received them
  };
  /// Takes the descriptor over.
  explicit Channel(int fd) : fd_(fd) {}
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&&) = delete;
  ~Channel();

  /// not_found when nobody listens there, forbidden when who listens is another user.
  static Result<Channel> dial(const std::string& path);
  /// Whether the other end is a process of our user (SO_PEERCRED).
  bool same_user() const;
  Result<void> send(const std::string& text, std::span<const int> descriptors = {});
  /// not_found when the other end is gone, timeout when it says nothing for so long (negative: no limit), or when `wake`,
  /// a descriptor, becomes readable.
  Result<Message> receive(std::chrono::milliseconds longest, int wake = -1);

 private:
  int fd_;
};

}  // namespace mandate::server
