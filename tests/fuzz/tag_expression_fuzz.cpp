// Tag expressions as scripts and owners write them: no crash, and a tree that can be asked.
#include <array>

#include "push/tags.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expression = mandate::push::TagExpression::parse(text);
  if (!expression.ok()) return 0;
  std::array<bool, mandate::push::kMostExpressionTags> has{};
  const bool strangers = expression->matches(has);
  if (strangers != expression->matches_strangers()) __builtin_trap();
  has.fill(true);
  (void)expression->matches(has);
  return 0;
}
