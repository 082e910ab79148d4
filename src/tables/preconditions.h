// What a client demands of a row before it reads or changes it (RFC 9110 §13).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace mandate::tables {

/// The tags of an If-Match or If-None-Match.
struct TagList {
  bool any = false;            ///< "*"
  std::vector<Millis> stamps;
  std::vector<std::string> foreign;  ///< no version of ours has them: they name no row, unless it came with them (importing/versions.h)

  bool names(Millis stamp) const { return any || std::ranges::find(stamps, stamp) != stamps.end(); }
};

struct Preconditions {
  std::optional<TagList> match, none_match;
  std::optional<std::int64_t> modified_since, unmodified_since;  ///< seconds since 1970

  bool empty() const { return !match && !none_match && !modified_since && !unmodified_since; }
};

enum class Judgement {
  go_on,
  not_modified,  ///< of a read: 304
  failed,        ///< 412
};

/// What comes of `conditions` for the row of that stamp, in the order of RFC 9110 §13.2.2. A date is not looked at beside
/// the tags it stands in for; If-Modified-Since means nothing to a write.
Judgement judge(const Preconditions& conditions, Millis stamp, bool read);

}  // namespace mandate::tables
