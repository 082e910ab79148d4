#include "identity/password_policy.h"

#include "base/url.h"

namespace mandate::identity {
namespace {

// What the published breach counts agree on, eight characters or more; shorter ones fail by length. Sorted.
constexpr std::string_view kCommon[] = {
    "00000000", "0123456789", "0987654321", "11111111", "1111111111", "111222333", "112233445566", "11223344", "12121212",
    "123123123", "123123123a", "12341234", "1234512345", "12345678", "123456781", "123456789", "1234567890", "12345678910",
    "123456789a", "123456789q", "12345678a", "123456abc", "1234abcd", "123654789", "123qweasd", "123qweasdzxc", "12qwaszx",
    "13131313", "135792468", "147258369", "147852369", "159357456", "19871987", "1a2b3c4d", "1q2w3e4r", "1q2w3e4r5t",
    "1q2w3e4r5t6y", "1qaz2wsx", "1qaz2wsx3edc", "1qazxsw2", "20202020", "22222222", "23232323", "31415926", "33333333",
    "44444444", "55555555", "5201314520", "66666666", "69696969", "741852963", "77777777", "789456123", "88888888",
    "87654321", "963852741", "98765432", "987654321", "9876543210", "99999999", "a1b2c3d4", "a1s2d3f4", "a123456789",
    "aa123456", "aa12345678", "aaaaaaaa", "abc12345", "abc123456", "abcd1234", "abcdefgh", "access14", "administrator",
    "alexander", "anthony1", "asd123456", "asdasdasd", "asdf1234", "asdfasdf", "asdfghjk", "asdfghjkl", "babygirl", "babygirl1",
    "barcelona", "baseball", "baseball1", "basketball", "blink182", "butterfly", "changeme", "charlie1", "cheyenne", "chocolate",
    "christian", "christopher", "cocacola", "computer", "computer1", "corvette", "danielle", "default1", "dolphins", "einstein",
    "elizabeth", "explorer", "facebook", "fernando", "football", "football1", "freedom1", "friendship", "fuckyou1", "gabriela",
    "garfield", "godzilla", "hardcore", "hello123", "hellohello", "iloveyou", "iloveyou1", "iloveyou2", "iloveyou3", "internet",
    "jennifer", "jessica1", "jonathan", "jordan23", "kimberly", "letmein1", "letmein123", "liverpool", "liverpool1", "logitech",
    "lovelove", "loveyou1", "manchester", "marlboro", "marshall", "master12", "maverick", "mercedes", "metallica", "michael1",
    "michelle", "midnight", "minecraft", "monkey12", "monkey123", "motdepasse", "mustang1", "mypassword", "nicholas", "ninja123",
    "nothing1", "p@ssw0rd", "p@ssword", "pa55word", "pass1234", "passw0rd", "passwort", "password", "password!", "password1",
    "password12", "password123", "password1234", "patricia", "platinum", "pokemon1", "portugal", "princess", "princess1",
    "q1w2e3r4", "q1w2e3r4t5", "qazwsxedc", "qwe123456", "qweasdzxc", "qwer1234", "qwerqwer", "qwert123", "qwerty12", "qwerty123",
    "qwerty1234", "qwerty12345", "qwerty123456", "qwertyui", "qwertyuiop", "rammstein", "rockstar", "samantha", "samsung1",
    "scorpion", "security", "september", "shadow12", "slipknot", "snowball", "snowboard", "southpark", "spiderman", "spongebob",
    "starcraft", "startrek", "starwars", "starwars1", "steelers", "stephanie", "sunshine", "sunshine1", "superman", "superman1",
    "superstar", "tennis12", "test1234", "testtest", "thunder1", "tinkerbell", "trustno1", "veronica", "victoria", "welcome1",
    "welcome12", "welcome123", "whatever", "william1", "xbox3600", "zaq12wsx", "zaq1zaq1", "zxcvbnm1", "zxcvbnm123", "zxczxczxc"};

// Words that stay common whatever digits and signs follow them.
constexpr std::string_view kStems[] = {"admin",    "administrator", "changeme", "football", "iloveyou", "letmein", "login",
                                       "master",   "monkey",        "motdepasse", "pass",   "passwort", "password", "princess",
                                       "qwerty",   "qwertyuiop",    "qwertz",   "secret",   "sunshine", "superman", "test",
                                       "welcome",  "willkommen",    "contrasena", "wachtwoord", "dragon", "abc", "baseball"};

char letter_of(char c) {
  switch (c) {
    case '0': return 'o';
    case '1': case '!': return 'i';
    case '3': return 'e';
    case '4': case '@': return 'a';
    case '5': case '$': return 's';
    case '7': return 't';
    default: return c;
  }
}

bool listed(std::string_view word) { return std::find(std::begin(kCommon), std::end(kCommon), word) != std::end(kCommon); }
bool stem(std::string_view word) { return std::find(std::begin(kStems), std::end(kStems), word) != std::end(kStems); }

// One character again and again, or each the next of the one before: "zzzzzzzz", "abcdefghij", "98765432".
bool monotone(std::string_view text) {
  const int step = text.size() > 1 ? text[1] - text[0] : 0;
  if (step < -1 || step > 1) return false;
  for (std::size_t i = 1; i < text.size(); ++i)
    if (text[i] - text[i - 1] != step) return false;
  return true;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string_view error_name(PasswordFault fault) {
  switch (fault) {
    case PasswordFault::common: return "PasswordDictionaryError";
    case PasswordFault::user_data: return "PasswordNoUserInfoError";
    default: return "PasswordStrengthError";
  }
}

}  // namespace

bool common_password(std::string_view password) {
  const std::string lower = ascii_lower(password);
  if (listed(lower) || monotone(lower)) return true;
  std::string_view core = lower;
  while (!core.empty() && (core.back() < 'a' || core.back() > 'z') && static_cast<unsigned char>(core.back()) < 0x80) core.remove_suffix(1);
  if (stem(core)) return true;
  std::string plain;
  for (const char c : core) plain += letter_of(c);
  if (stem(plain)) return true;
  plain.clear();
  for (const char c : lower) plain += letter_of(c);
  return listed(plain) || stem(plain);
}

std::optional<PasswordFault> password_fault(std::string_view password, std::span<const std::string> about) {
  if (password.size() > kLongestPassword) return PasswordFault::too_long;
  if (password.find('\0') != std::string_view::npos || !valid_utf8(password)) return PasswordFault::bad_characters;
  if (characters(password) < kShortestPassword) return PasswordFault::too_short;
  if (common_password(password)) return PasswordFault::common;
  const std::string lower = ascii_lower(password);
  for (const std::string& word : about) {
    const std::string own = ascii_lower(word);
    if (own.empty()) continue;
    if (lower == own || lower == own.substr(0, own.find('@'))) return PasswordFault::user_data;
  }
  return std::nullopt;
}

std::string_view sentence(PasswordFault fault) {
  switch (fault) {
    case PasswordFault::too_short: return "The password needs at least 8 characters.";
    case PasswordFault::too_long: return "The password may have at most 256 bytes.";
    case PasswordFault::bad_characters: return "The password has characters that cannot be used.";
    case PasswordFault::common: return "This password is too common. Please choose another one.";
    case PasswordFault::user_data: return "The password must not be your own name or address.";
  }
  return "Password is too weak";
}

http::Response password_fault_response(PasswordFault fault) {
  JsonObject body;
  body["name"] = error_name(fault);
  body["code"] = "invalid_password";
  body["statusCode"] = 400;
  body["policy"] = "* At least 8 characters in length\n* At most 256 bytes\n* Not a commonly used password";
  if (error_name(fault) == "PasswordStrengthError") {
    body["message"] = "Password is too weak";
    const auto rule = [](std::string_view message, JsonArray format, std::string_view code, bool verified) {
      return JsonObject{{"message", message}, {"format", std::move(format)}, {"code", code}, {"verified", verified}};
    };
    JsonArray rules;
    rules.push_back(rule("At least %d characters in length", {kShortestPassword}, "lengthAtLeast", fault != PasswordFault::too_short));
    rules.push_back(rule("At most %d bytes in length", {kLongestPassword}, "lengthAtMost", fault != PasswordFault::too_long));
    rules.push_back(rule("Text without control characters", {}, "validCharacters", fault != PasswordFault::bad_characters));
    body["description"] = JsonObject{{"rules", std::move(rules)}, {"verified", false}};
  } else {
    body["message"] = sentence(fault);
    body["description"] = sentence(fault);
  }
  return std::move(http::Response::json(400, Json(std::move(body))).no_store());
}

}  // namespace mandate::identity
