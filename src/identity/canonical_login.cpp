// One spelling for one account (IN-3; UAX #15, UTS #39 single-script rule).
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "base/url.h"
#include "identity/users.h"

namespace mandate::identity {
namespace {

constexpr std::size_t kLongestLogin = 320;  // 64 @ 255, RFC 5321 §4.5.3.1

Error refused(std::string why) { return Error(Code::invalid_request, "The e-mail address or user name has characters that cannot be used.", std::move(why)); }

std::u16string normalised(const UNormalizer2* form, const std::u16string& text, UErrorCode& status) {
  std::u16string out(text.size() * 4 + 16, u'\0');
  std::int32_t length = unorm2_normalize(form, text.data(), static_cast<std::int32_t>(text.size()), out.data(),
                                         static_cast<std::int32_t>(out.size()), &status);
  if (status == U_BUFFER_OVERFLOW_ERROR) {
    status = U_ZERO_ERROR;
    out.resize(static_cast<std::size_t>(length));
    length = unorm2_normalize(form, text.data(), static_cast<std::int32_t>(text.size()), out.data(),
                              static_cast<std::int32_t>(out.size()), &status);
  }
  out.resize(U_SUCCESS(status) ? static_cast<std::size_t>(length) : 0);
  return out;
}

// Shown as nothing, as a blank, or not assigned: two texts that differ only in these look the same.
bool unseen(UChar32 c) {
  if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) return true;
  switch (u_charType(c)) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_SURROGATE:
    case U_PRIVATE_USE_CHAR:
    case U_UNASSIGNED:
    case U_SPACE_SEPARATOR:
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
      return true;
    default:
      return false;
  }
}

// The scripts people write together: Japanese and Korean use Han beside their own.
bool one_script(const std::set<UScriptCode>& scripts) {
  if (scripts.size() <= 1) return true;
  const auto within = [&](std::set<UScriptCode> family) {
    return std::includes(family.begin(), family.end(), scripts.begin(), scripts.end());
  };
  return within({USCRIPT_HAN, USCRIPT_HIRAGANA, USCRIPT_KATAKANA}) || within({USCRIPT_HAN, USCRIPT_HANGUL}) ||
         within({USCRIPT_HAN, USCRIPT_BOPOMOFO});
}

}  // namespace

Result<std::string> canonical_login(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.empty()) return refused("empty login");
  if (text.size() > kLongestLogin) return refused("login too long");
  if (!valid_utf8(text)) return refused("login is not UTF-8");

  UErrorCode status = U_ZERO_ERROR;
  std::u16string wide(text.size() + 1, u'\0');
  std::int32_t length = 0;
  u_strFromUTF8(wide.data(), static_cast<std::int32_t>(wide.size()), &length, text.data(),
                static_cast<std::int32_t>(text.size()), &status);
  if (U_FAILURE(status)) return refused("login does not convert");
  wide.resize(static_cast<std::size_t>(length));

  const std::u16string nfc = normalised(unorm2_getNFCInstance(&status), wide, status);
  const std::u16string nfkc = normalised(unorm2_getNFKCInstance(&status), wide, status);
  if (U_FAILURE(status)) return refused("login does not normalise");
  // Full width, ligatures, long s: letters that only look like others. Nobody's address has them.
  if (nfc != nfkc) return refused("login has compatibility characters");

  std::set<UScriptCode> scripts;
  bool after_at = false;
  for (std::size_t i = 0; i < nfc.size();) {
    UChar32 c = 0;
    U16_NEXT(nfc.data(), i, nfc.size(), c);
    if (unseen(c)) return refused("login has invisible characters");
    // Each side of the @ and each label of the domain is a word of its own: иван@example.org is honest.
    if (c == '@' || (after_at && c == '.')) {
      if (!one_script(scripts)) return refused("login mixes scripts");
      scripts.clear();
      after_at = true;
      continue;
    }
    UErrorCode script_status = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(c, &script_status);
    if (script != USCRIPT_COMMON && script != USCRIPT_INHERITED) scripts.insert(script);
  }
  if (!one_script(scripts)) return refused("login mixes scripts");

  std::string out(nfc.size() * 3 + 1, '\0');
  u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &length, nfc.data(), static_cast<std::int32_t>(nfc.size()),
              &status);
  if (U_FAILURE(status)) return refused("login does not convert back");
  out.resize(static_cast<std::size_t>(length));
  // ASCII only: Turkish dotless i stays another letter than i, as it is to a mail server.
  return ascii_lower(out);
}

}  // namespace mandate::identity
