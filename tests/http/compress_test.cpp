#include <gtest/gtest.h>
#include <zlib.h>

#include "http/compress.h"
#include "http/date.h"

namespace mandate::http {
namespace {

std::string unpack(std::string_view packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(4 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

Response answer(std::size_t bytes, int status = 200) {
  Response response = Response::json(status, "\"" + std::string(bytes, 'x') + "\"");
  response.headers.set("ETag", "\"v\"");
  return response;
}

Response compressed(Response response, std::string_view accepted) {
  Request request;
  if (!accepted.empty()) request.headers.add("Accept-Encoding", accepted);
  compress(response, request);
  return response;
}

TEST(Compression, PacksWhatIsWorthItAndKeepsTheTag) {
  const Response packed = compressed(answer(5000), "gzip, deflate");
  EXPECT_EQ(packed.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.headers.get("Vary"), "Accept-Encoding");
  EXPECT_EQ(packed.headers.get("ETag"), "\"v\"");
  EXPECT_LT(packed.body.size(), 500U);
  EXPECT_EQ(unpack(packed.body), answer(5000).body);
}

TEST(Compression, LeavesAloneWhatTheClientDoesNotTakeButSaysThatItDepends) {
  const Response plain = compressed(answer(5000), "");
  EXPECT_EQ(plain.headers.get("Vary"), "Accept-Encoding");
  EXPECT_FALSE(plain.headers.has("Content-Encoding"));
  EXPECT_EQ(plain.body, answer(5000).body);
}

TEST(Compression, LeavesAloneWhatIsSmallHugeBodilessOrNoText) {
  EXPECT_FALSE(compressed(answer(500), "gzip").headers.has("Vary"));
  EXPECT_FALSE(compressed(answer((1 << 20) + 1), "gzip").headers.has("Content-Encoding"));
  EXPECT_FALSE(compressed(Response(204), "gzip").headers.has("Content-Encoding"));
  Response image(200);
  image.headers.set("Content-Type", "image/png");
  image.body = std::string(5000, 'x');
  EXPECT_FALSE(compressed(image, "gzip").headers.has("Content-Encoding"));
}

TEST(Compression, ReadsWeights) {
  for (const char* yes : {"gzip", "GZIP", "deflate, gzip;q=0.5", "*", "br;q=1, *;q=0.1", "x-gzip", "gzip ; q=1.0"}) EXPECT_TRUE(takes_gzip(yes)) << yes;
  for (const char* no : {"", "identity", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "br, deflate", "gzipped"}) EXPECT_FALSE(takes_gzip(no)) << no;
}

TEST(HttpDate, IsReadInItsThreeFormsAndNoOther) {
  constexpr std::int64_t kMoment = 784'111'777;
  EXPECT_EQ(http_date(kMoment), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) EXPECT_EQ(parse_http_date(text), kMoment) << text;
  for (const char* text : {"", "now", "784111777", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT+1", "1994-11-06T08:49:37Z"})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace mandate::http
