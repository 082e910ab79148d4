// Tags and the expressions that choose by them.
//
//   expression := or            or := and { "||" and }        and := not { "&&" not }
//   not        := "!" not | "(" or ")" | tag
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mandate::push {

inline constexpr std::size_t kMostTags = 60, kMostTagBytes = 120;
/// Of an expression: as many tags if it has only "||", else kMostMixedTags.
inline constexpr std::size_t kMostExpressionTags = 20, kMostMixedTags = 6;

/// Tags that are stated by us, not by devices.
inline constexpr std::string_view kUserTag = "_UserId:", kHubUserTag = "$UserId:", kInstallationTag = "$InstallationId:";

std::string user_tag(std::string_view user_id);                  ///< _UserId:<id>
std::string installation_tag(std::string_view installation_id);  ///< $InstallationId:{<id>}

/// A device's own tags: letters, digits and _ @ # . : - , at most 120 characters and 60 tags; without copies. A user's
/// tag may be there for `user_id` only; an installation's for `installation` only. bad_request.
Result<std::vector<std::string>> check_tags(std::vector<std::string> tags, std::string_view user_id, std::string_view installation);

/// Which devices are meant: a tree over tags. Immutable.
class TagExpression {
 public:
  /// Empty text means everybody. bad_request with the place of the mistake.
  static Result<TagExpression> parse(std::string_view text);
  /// Any of these; empty = everybody. Their texts are not parsed: ids of users may have any characters.
  static Result<TagExpression> any_of(std::vector<std::string> tags);
  /// The text of any_of that parse() reads; nullopt when a tag cannot be written.
  static std::optional<std::string> text_of(const std::vector<std::string>& tags);

  /// Every tag that is named, each once.
  const std::vector<std::string>& tags() const { return tags_; }
  /// `has[i]`: whether the device has tags()[i].
  bool matches(std::span<const bool> has) const;
  /// True of devices that have none of the tags.
  bool matches_strangers() const;

 private:
  enum class Op { everybody, tag, not_, and_, or_ };
  struct Node {
    Op op = Op::everybody;
    std::size_t a = 0, b = 0;  ///< tag: index into tags_; else indexes of nodes
  };
  class Parser;
  bool eval(std::size_t node, std::span<const bool> has) const;

  std::vector<std::string> tags_;
  std::vector<Node> nodes_{Node{}};
  std::size_t root_ = 0;
};

}  // namespace mandate::push
