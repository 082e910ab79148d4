// Whom an expression means, a page at a time.
#pragma once

#include "push/registrations.h"
#include "push/tags.h"

namespace mandate::push {

struct AudiencePage {
  std::vector<Registration> members;
  std::string last;   ///< go on behind this one
  bool end = false;   ///< nobody is behind it
};

/// Registrations that `expression` means behind the id `after`, in the order of ids. Looks at about `most` of each tag, so
/// a page may be empty and yet not the end. Registrations whose time is over are left out.
Task<AudiencePage> audience(store::Store& store, Registrations& registrations, std::string service, TagExpression expression, std::string after,
                            std::int64_t most);

}  // namespace mandate::push
