#include "http/edge_poll.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>

namespace mandate::http {
namespace {

using End = IoLoop::Watch::End;

/// One end watched, the other in our hand.
struct Pair final : IoLoop::Ready {
  explicit Pair(EdgePoll& poll) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    near = ends[0], far = ends[1];
    watch = poll.watch(near, *this);
  }
  ~Pair() {
    watch.reset();
    ::close(near);
    ::close(far);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void send(std::string_view text) const { EXPECT_EQ(::send(far, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size())); }
  ssize_t read(std::size_t most) const {
    char bytes[64];
    return ::recv(near, bytes, most, 0);
  }
  void on_readable() override {
    ++readable;
    if (then) then();
  }
  void on_writable() override { ++writable; }

  int near = -1, far = -1, readable = 0, writable = 0;
  std::function<void()> then;
  std::unique_ptr<IoLoop::Watch> watch;
};

struct EdgePollTest : testing::Test {
  std::shared_ptr<EdgePoll> poll = std::make_shared<EdgePoll>();
};

TEST_F(EdgePollTest, TellsOnceForEachWait) {
  Pair pair(*poll);
  pair.watch->wait_readable();
  poll->run();
  EXPECT_EQ(pair.readable, 0);
  pair.send("a");
  poll->run();
  pair.send("b");
  poll->run();
  EXPECT_EQ(pair.readable, 1);
}

TEST_F(EdgePollTest, WhatWasReadToItsEndIsToldAgainOnlyWhenMoreComes) {
  Pair pair(*poll);
  pair.watch->wait_readable();
  pair.send("abc");
  poll->run();
  EXPECT_EQ(pair.read(64), 3);
  pair.watch->drained(End::short_read);
  pair.watch->wait_readable();
  poll->run();
  EXPECT_EQ(pair.readable, 1);
  pair.send("d");
  poll->run();
  EXPECT_EQ(pair.readable, 2);
}

TEST_F(EdgePollTest, WhatWasNotReadToItsEndIsToldAgainWithoutAnEdge) {
  Pair pair(*poll);
  pair.watch->wait_readable();
  pair.send("abc");
  poll->run();
  EXPECT_EQ(pair.read(2), 2);
  pair.watch->wait_readable();
  poll->run();
  EXPECT_EQ(pair.readable, 2);
}

TEST_F(EdgePollTest, BytesThatCameWhileNobodyWaitedAreToldToTheNextWhoWaits) {
  Pair pair(*poll);
  pair.send("abc");
  poll->run();
  EXPECT_EQ(pair.readable, 0);
  pair.watch->wait_readable();
  poll->run();
  EXPECT_EQ(pair.readable, 1);
}

TEST_F(EdgePollTest, TheEndOfTheStreamIsToldAfterAShortReadOfItsLastBytes) {
  Pair pair(*poll);
  pair.watch->wait_readable();
  pair.send("abc");
  ::shutdown(pair.far, SHUT_WR);
  poll->run();
  EXPECT_EQ(pair.read(64), 3);
  pair.watch->drained(End::short_read);
  pair.watch->wait_readable();
  poll->run();
  EXPECT_EQ(pair.readable, 2);
  EXPECT_EQ(pair.read(64), 0);
}

TEST_F(EdgePollTest, AWriterThatFoundNoRoomIsToldWhenThereIsSome) {
  Pair pair(*poll);
  poll->run();
  const std::string much(1 << 20, 'x');
  while (::send(pair.near, much.data(), much.size(), MSG_NOSIGNAL) > 0) {
  }
  pair.watch->wait_writable();
  poll->run();
  EXPECT_EQ(pair.writable, 0);
  std::string taken(1 << 20, '\0');
  while (::recv(pair.far, taken.data(), taken.size(), 0) > 0) {
  }
  poll->run();
  EXPECT_EQ(pair.writable, 1);
}

TEST_F(EdgePollTest, AWatchEndedByAnotherCallbackOfTheSameRunHearsNothingMore) {
  Pair one(*poll), other(*poll);
  one.then = [&] { other.watch.reset(); };
  other.then = [&] { one.watch.reset(); };
  for (Pair* each : {&one, &other}) each->watch->wait_readable(), each->send("a");
  poll->run();
  poll->run();
  EXPECT_EQ(one.readable + other.readable, 1);
}

TEST_F(EdgePollTest, AWatchMayEndItselfAndAskedTurnsDieWithIt) {
  Pair pair(*poll);
  int asked = 0;
  poll->on_soon([&] { ++asked; });
  pair.watch->readable_soon();
  EXPECT_EQ(asked, 1);
  pair.then = [&] {
    pair.watch->readable_soon();
    pair.watch.reset();
  };
  poll->run();
  poll->run();
  EXPECT_EQ(pair.readable, 1);
}

TEST_F(EdgePollTest, AfterAnExceptionTheNextRunGoesOnWithThoseBehind) {
  Pair one(*poll), other(*poll);
  one.then = other.then = [] { throw std::runtime_error("bug"); };
  for (Pair* each : {&one, &other}) each->watch->wait_readable(), each->send("a");
  EXPECT_THROW(poll->run(), std::runtime_error);
  EXPECT_THROW(poll->run(), std::runtime_error);
  EXPECT_EQ(one.readable + other.readable, 2);
}

}  // namespace
}  // namespace mandate::http
