#include "tables/preconditions.h"

namespace mandate::tables {

Judgement judge(const Preconditions& conditions, Millis stamp, bool read) {
  const std::int64_t second = stamp / 1000;  // what Last-Modified said
  if (conditions.match) {
    if (!conditions.match->names(stamp)) return Judgement::failed;
  } else if (conditions.unmodified_since && second > *conditions.unmodified_since) {
    return Judgement::failed;
  }
  if (conditions.none_match) {
    if (conditions.none_match->names(stamp)) return read ? Judgement::not_modified : Judgement::failed;
  } else if (read && conditions.modified_since && second <= *conditions.modified_since) {
    return Judgement::not_modified;
  }
  return Judgement::go_on;
}

}  // namespace mandate::tables
