#include "push/tags.h"

#include <algorithm>
#include <optional>

#include "base/url.h"

namespace mandate::push {
namespace {

constexpr std::size_t kMostText = 4096, kMostDepth = 50;

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("_@#.:-").find(c) != std::string_view::npos;
}

/// What a tag in an expression is made of. A single '|' belongs to ids such as "github|7"; two are an operator.
bool in_expression(char c) { return plain(c) || std::string_view("$+/=%*{}~").find(c) != std::string_view::npos; }

bool writable(std::string_view tag) {
  if (tag.empty() || tag.size() > 512) return false;
  for (std::size_t i = 0; i < tag.size(); ++i) {
    if (in_expression(tag[i])) continue;
    const bool single = tag[i] == '|' && i > 0 && i + 1 < tag.size() && tag[i + 1] != '|' && tag[i - 1] != '|';
    if (!single) return false;
  }
  return true;
}

}  // namespace

std::string user_tag(std::string_view user_id) { return std::string(kUserTag) + std::string(user_id); }

std::string installation_tag(std::string_view installation_id) {
  return std::string(kInstallationTag) + "{" + std::string(installation_id) + "}";
}

Result<std::vector<std::string>> check_tags(std::vector<std::string> tags, std::string_view user_id, std::string_view installation) {
  std::vector<std::string> out;
  for (std::string& tag : tags) {
    for (const std::string_view reserved : {kUserTag, kHubUserTag})
      if (tag.size() >= reserved.size() && iequals(std::string_view(tag).substr(0, reserved.size()), reserved) &&
          (user_id.empty() || std::string_view(tag).substr(reserved.size()) != user_id))
        return Error(Code::bad_request, "A tag names another user.", tag);
    if (tag.starts_with('$')) {
      // Ours to give: what the device lists again is left out and stated anew.
      const bool own = tag == installation_tag(installation) || tag.starts_with(kHubUserTag);
      if (!own) return Error(Code::bad_request, "Tags must not start with $.", tag);
      continue;
    }
    if (tag.empty() || tag.size() > kMostTagBytes) return Error(Code::bad_request, "A tag must have 1 to 120 characters.");
    if (!tag.starts_with(kUserTag) && !std::ranges::all_of(tag, plain))
      return Error(Code::bad_request, "A tag may have letters, digits and _ @ # . : - only.", tag);
    if (std::ranges::find(out, tag) == out.end()) out.push_back(std::move(tag));
  }
  if (out.size() > kMostTags) return Error(Code::bad_request, "A registration may have 60 tags at most.");
  return out;
}

/// Recursive descent; depth is bounded.
class TagExpression::Parser {
 public:
  Parser(std::string_view text, TagExpression& out) : text_(text), out_(out) {}

  Result<void> run() {
    TRY(out_.root_, either(0));
    skip();
    if (at_ != text_.size()) return wrong("something other than an operator");
    if (out_.tags_.size() > (mixed_ ? kMostMixedTags : kMostExpressionTags))
      return Error(Code::bad_request, mixed_ ? "A tag expression may have 6 tags at most, 20 if it has only ||." : "A tag expression may have 20 tags at most.");
    return {};
  }

 private:
  Error wrong(std::string_view what) const {
    return Error(Code::bad_request, "The tag expression has " + std::string(what) + " at index " + std::to_string(at_) + ".");
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) ++at_;
  }
  bool take(std::string_view word) {
    skip();
    if (text_.substr(at_).starts_with(word)) return at_ += word.size(), true;
    return false;
  }
  std::size_t node(Op op, std::size_t a, std::size_t b = 0) {
    out_.nodes_.push_back({op, a, b});
    return out_.nodes_.size() - 1;
  }
  Result<std::size_t> either(std::size_t depth) {
    TRY(std::size_t left, both(depth));
    while (take("||")) {
      TRY(const std::size_t right, both(depth));
      left = node(Op::or_, left, right);
    }
    return left;
  }
  Result<std::size_t> both(std::size_t depth) {
    TRY(std::size_t left, one(depth));
    while (take("&&")) {
      mixed_ = true;
      TRY(const std::size_t right, one(depth));
      left = node(Op::and_, left, right);
    }
    return left;
  }
  Result<std::size_t> one(std::size_t depth) {
    if (depth > kMostDepth) return wrong("too many brackets");
    if (take("!")) {
      mixed_ = true;
      TRY(const std::size_t inner, one(depth + 1));
      return node(Op::not_, inner);
    }
    if (take("(")) {
      TRY(const std::size_t inner, either(depth + 1));
      if (!take(")")) return wrong("no closing bracket");
      return inner;
    }
    skip();
    const std::size_t from = at_;
    while (at_ < text_.size()) {
      const bool single = text_[at_] == '|' && at_ > from && at_ + 1 < text_.size() && in_expression(text_[at_ + 1]);
      if (!single && !in_expression(text_[at_])) break;
      ++at_;
    }
    if (at_ == from) return wrong("no tag");
    return node(Op::tag, index_of(text_.substr(from, at_ - from)));
  }
  std::size_t index_of(std::string_view tag) {
    const auto found = std::ranges::find(out_.tags_, tag);
    if (found != out_.tags_.end()) return static_cast<std::size_t>(found - out_.tags_.begin());
    out_.tags_.emplace_back(tag);
    return out_.tags_.size() - 1;
  }

  std::string_view text_;
  TagExpression& out_;
  std::size_t at_ = 0;
  bool mixed_ = false;
};

Result<TagExpression> TagExpression::parse(std::string_view text) {
  TagExpression out;
  if (text.size() > kMostText) return Error(Code::bad_request, "The tag expression is too long.");
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return out;
  CHECK_OK(Parser(text, out).run());
  return out;
}

Result<TagExpression> TagExpression::any_of(std::vector<std::string> tags) {
  TagExpression out;
  if (tags.size() > kMostExpressionTags) return Error(Code::bad_request, "A tag expression may have 20 tags at most.");
  for (std::string& tag : tags) {
    if (std::ranges::find(out.tags_, tag) != out.tags_.end()) continue;
    const std::size_t index = out.tags_.size();
    out.tags_.push_back(std::move(tag));
    out.nodes_.push_back({Op::tag, index, 0});
    const std::size_t leaf = out.nodes_.size() - 1;
    if (index == 0) {
      out.root_ = leaf;
    } else {
      out.nodes_.push_back({Op::or_, out.root_, leaf});
      out.root_ = out.nodes_.size() - 1;
    }
  }
  return out;
}

std::optional<std::string> TagExpression::text_of(const std::vector<std::string>& tags) {
  std::string out;
  for (const std::string& tag : tags) {
    if (!writable(tag)) return std::nullopt;
    out += (out.empty() ? "" : " || ") + tag;
  }
  return out;
}

bool TagExpression::eval(std::size_t node, std::span<const bool> has) const {
  const Node& n = nodes_[node];
  switch (n.op) {
    case Op::everybody: return true;
    case Op::tag: return has[n.a];
    case Op::not_: return !eval(n.a, has);
    case Op::and_: return eval(n.a, has) && eval(n.b, has);
    case Op::or_: return eval(n.a, has) || eval(n.b, has);
  }
  return false;
}

bool TagExpression::matches(std::span<const bool> has) const { return eval(root_, has); }

bool TagExpression::matches_strangers() const {
  static constexpr bool kNone[kMostExpressionTags] = {};
  return eval(root_, kNone);
}

}  // namespace mandate::push
