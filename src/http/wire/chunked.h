// A chunked body, read strictly and without growing by what the sender only announces (HT-3, HT-4).
//   body    = *( size [ ";" extension ] CRLF data CRLF ) "0" [ ";" extension ] CRLF *( trailer CRLF ) CRLF
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mandate::http::wire {

class ChunkedReader {
 public:
  enum class Step { more, done, refused, too_large };
  /// Takes bytes off the front of `bytes`, appends data to `body`. `limit`: largest body.
  Step read(std::string_view& bytes, std::string& body, std::size_t limit);

 private:
  enum class State : std::uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer_start, trailer, trailer_lf, end_lf };
  State state_ = State::size;
  int digits_ = 0;
  std::uint64_t size_ = 0;
  std::size_t extension_ = 0, trailer_ = 0;
};

}  // namespace mandate::http::wire
