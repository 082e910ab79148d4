// Text that must not be printed and must not be compared with ==.
#pragma once

#include <string>
#include <string_view>

namespace mandate {

/// A password, key or token on its way through the house. The log prints it as "***" (KS-4); there is no operator==,
/// use secret_equal (TK-9). Wiped on destruction.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();

  bool empty() const { return text_.empty(); }
  /// The plain text, for hashing, sealing and handing to crypto. Search for this word when auditing.
  std::string_view reveal() const { return text_; }

  bool operator==(const Secret&) const = delete;

 private:
  std::string text_;
};

/// Equal without telling by time how much was equal; works on SHA-256 of both, so lengths do not tell either.
bool secret_equal(std::string_view a, std::string_view b);
inline bool secret_equal(const Secret& a, std::string_view b) { return secret_equal(a.reveal(), b); }

}  // namespace mandate
