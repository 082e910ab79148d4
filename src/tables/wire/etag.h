// Versions as entity tags: one strong tag, inner quotes escaped (mobile-backend-wire 0.4 #5, 1.6).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tables/preconditions.h"

namespace mandate::tables::wire {

/// "v" in quotes.
std::string etag_of(std::string_view version);

/// The version of an If-Match; nullopt for an absent field and for "*". bad_request for several or malformed tags.
Result<std::optional<std::string>> expected_version(std::string_view if_match);

/// How tags are compared (RFC 9110 §8.8.3.2): a weak tag never matches strongly.
enum class Tags { strong, weak };

/// A list of tags, or "*". bad_request for text that is none.
Result<TagList> read_tags(std::string_view field, Tags how);

/// Whether an If-None-Match names this version: "*", or the tag among those listed.
bool none_match_hits(std::string_view if_none_match, std::string_view version);

}  // namespace mandate::tables::wire
