// The words of a hand-over (see handover.h), as text and back. What was received is not believed: it may come from a version
// that speaks otherwise.
//
//   hello = "mandate-handover 1 " ( "alone" | "shared" )
//   offer = "sockets " ( "alone" | "shared" ) " " ( "kept" | "ours" ) " " doors *( " " name )      descriptors in this order
//   peer  = "peer " ( "plain" | "secure" | "owner" ) " " address                                   one descriptor
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mandate::server {

std::string hello_text(bool alone);
/// Whether who says it wants to be alone; nullopt when it speaks otherwise.
std::optional<bool> hello_of(std::string_view text);

struct Offer {
  bool alone = false, kept = false;
  std::size_t doors = 0;           ///< at least one
  std::vector<std::string> names;  ///< of the descriptors after the doors; unknown ones are for later versions
};
std::string offer_text(const Offer& offer);
/// bad_request unless it makes sense together with so many descriptors.
Result<Offer> offer_of(const std::string& text, std::size_t descriptors);

struct PassedWords {
  bool secure = false, owner = false;
  std::string address;
};
std::string passed_text(const PassedWords& passed);
std::optional<PassedWords> passed_of(const std::string& text);

}  // namespace mandate::server
