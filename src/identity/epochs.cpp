#include "identity/epochs.h"

#include <charconv>

#include "identity/bearer.h"

namespace mandate::identity {

std::string to_text(const Epochs& epochs) { return std::to_string(epochs.tenant) + "." + std::to_string(epochs.user); }

std::optional<Epochs> epochs_of(const JsonObject& claims) {
  const std::string_view text = text_member(claims, kEpochClaim).value_or("");
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  Epochs out;
  const char* const end = text.data() + text.size();
  const auto a = std::from_chars(text.data(), text.data() + dot, out.tenant);
  const auto b = std::from_chars(text.data() + dot + 1, end, out.user);
  if (a.ec != std::errc() || a.ptr != text.data() + dot || b.ec != std::errc() || b.ptr != end) return std::nullopt;
  return out;
}

}  // namespace mandate::identity
