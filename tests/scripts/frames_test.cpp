#include "scripts/frames.h"

#include <gtest/gtest.h>

namespace mandate::scripts {
namespace {

TEST(Frames, WhatIsWrittenIsReadBackHoweverTheStreamIsCut) {
  std::string stream;
  append_frame(stream, {FrameType::call, 0, 7, 3, 4'000'000'000, R"({"a":1})"});
  append_frame(stream, {FrameType::ping, 0, 0, 3, 0, ""});
  append_frame(stream, {FrameType::answer, 1, 65'535, 9, 1, std::string(5000, 'x')});
  for (const std::size_t piece : {std::size_t(1), std::size_t(13), stream.size()}) {
    FrameReader reader(1 << 20);
    std::string again;
    int count = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view(stream).substr(at, piece));
      for (auto frame = reader.next(); frame.ok() && frame->has_value(); frame = reader.next()) append_frame(again, **frame), ++count;
    }
    EXPECT_EQ(again, stream);
    EXPECT_EQ(count, 3);
  }
}

TEST(Frames, ATextAboveTheLimitIsRefusedBeforeItArrives) {
  std::string stream;
  append_frame(stream, {FrameType::result, 0, 0, 1, 1, std::string(101, ' ')});
  FrameReader reader(100);
  reader.feed(std::string_view(stream).substr(0, kFrameHead));
  auto frame = reader.next();
  ASSERT_FALSE(frame.ok());
  EXPECT_EQ(frame.error().code, Code::corrupt);
}

TEST(Frames, AnUnknownTypeIsRefused) {
  std::string stream(kFrameHead, '\0');
  stream[4] = 11;
  FrameReader reader(100);
  reader.feed(stream);
  EXPECT_FALSE(reader.next().ok());
}

}  // namespace
}  // namespace mandate::scripts
