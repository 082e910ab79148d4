// Wire transcripts: what goes over the wire, as plain text, and whether an answer is the one written down.
//
//   # A sentence that says what this shows.
//   > POST /delegation                       request line
//   > Origin: https://app.example            header lines, up to the first line that is none
//   > {"client_id":"todo", …}                body; JSON lines are joined, form lines too
//   < 200 application/json                   status, and optionally the media type
//   < X-RateLimit-Remaining: 9               headers that must be there
//   < ! ETag                                 a header that must not be there
//   < {"token_type":"Bearer","id_token":"{{t}}"}
//   + 61s                                    the clock moves (s, m, h, d)
//
// A header `Host` replaces the usual one.
//
// {{name}} in an expected text captures what stands there the first time and must match it later; in a request it is
// replaced. {{_}} matches anything. In an expected object the member "..." allows others beside those named.
// An answer without a body line may have any body; `< (empty)` wants none.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace mandate::wire {

using Field = std::pair<std::string, std::string>;

struct Exchange {
  int line = 0;
  std::string method, target, body;
  std::vector<Field> headers;
  int status = 0;
  std::string media_type;
  std::vector<Field> expected_headers;
  std::vector<std::string> forbidden_headers;
  std::string expected_body;
  bool body_given = false;
};
struct Pause {
  std::chrono::milliseconds by;
};
using Step = std::variant<Exchange, Pause>;

struct Transcript {
  std::string title;  ///< the first comment
  std::vector<Step> steps;
};

/// invalid_request with the line number when the text is not a transcript.
Result<Transcript> parse(std::string_view text);

struct Answer {
  int status = 0;
  std::vector<Field> headers;
  std::string body;
  std::string_view header(std::string_view name) const;
};

using Captures = std::map<std::string, std::string, std::less<>>;

/// Replaces {{name}} by what was captured; unknown names stay.
std::string fill(std::string_view text, const Captures& captures);

/// Empty when the answer is the one expected; else a sentence that says how it differs. Adds to `captures`.
std::string differs(const Exchange& expected, const Answer& answer, Captures& captures);

/// The first text in `body` that begins as a moment does and is not written yyyy-MM-ddTHH:mm:ss.fffZ; else empty.
std::string odd_date(std::string_view body);

}  // namespace mandate::wire
