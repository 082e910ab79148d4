// A stranger's bytes as heads and bodies: never a crash, and the pieces they arrive in make no difference.
#include <cstdlib>

#include "http/wire/chunked.h"
#include "http/wire/head.h"

namespace {
using namespace mandate::http;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  int status = 0;
  std::size_t end = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome scan(std::string_view bytes, std::size_t step) {
  wire::HeadScanner scanner;
  const wire::HeadLimits limits;
  for (std::size_t have = std::min(step, bytes.size());; have = std::min(have + step, bytes.size())) {
    const auto said = scanner.scan(bytes.substr(0, have), limits);
    if (said == wire::HeadScanner::Step::complete) return {0, scanner.end()};
    if (said == wire::HeadScanner::Step::refused) return {scanner.status(), 0};
    if (have == bytes.size()) return {-1, 0};
  }
}

void read_chunks(std::string_view bytes) {
  const auto read = [bytes](std::size_t step) {
    wire::ChunkedReader reader;
    std::string body;
    std::string_view rest = bytes;
    auto said = wire::ChunkedReader::Step::more;
    while (!rest.empty() && said == wire::ChunkedReader::Step::more) {
      std::string_view piece = rest.substr(0, step);
      const std::size_t size = piece.size();
      said = reader.read(piece, body, 4096);
      rest.remove_prefix(size - piece.size());
    }
    require(body.size() <= 4096);
    return std::pair(said, std::pair(body, rest.size()));
  };
  require(read(1) == read(bytes.size() + 1));
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = scan(bytes, size + 1);
  // Limits may be noticed a piece earlier or later than a flaw behind them; what is complete is the same.
  const Outcome single = scan(bytes, 1);
  require((whole.status == 0) == (single.status == 0) && whole.end == single.end);
  read_chunks(bytes);
  if (whole.status != 0) return 0;

  wire::HeadScanner scanner;
  scanner.scan(bytes, {});
  const std::string_view head = bytes.substr(scanner.begin(), scanner.end() - scanner.begin());
  const wire::TrustedProxies proxies({"10.0.0.0/8"});
  for (const char* peer : {"10.0.0.1", "192.0.2.1"}) {
    Request request;
    wire::Framing framing;
    const int status = wire::read_head(head, {peer, false, &proxies}, request, framing);
    require(status == 0 || (status >= 400 && status < 600));
    if (status != 0) continue;
    require(!framing.chunked || framing.length == 0);
    require(request.path.find('\0') == std::string::npos);
    for (const auto& field : request.headers.all()) {
      require(field.name.find('_') == std::string_view::npos);
      require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    }
  }
  return 0;
}
