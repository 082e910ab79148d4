#include "server/handover_words.h"

#include <charconv>

#include "base/url.h"

namespace mandate::server {
namespace {
constexpr std::string_view kHello = "mandate-handover 1 ", kAlone = "alone", kShared = "shared";
}  // namespace

std::string hello_text(bool alone) { return std::string(kHello) += alone ? kAlone : kShared; }

std::optional<bool> hello_of(std::string_view text) {
  if (!text.starts_with(kHello)) return std::nullopt;
  text.remove_prefix(kHello.size());
  if (text != kAlone && text != kShared) return std::nullopt;
  return text == kAlone;
}

std::string offer_text(const Offer& offer) {
  std::string out = std::string("sockets ") + (offer.alone ? "alone" : "shared") + (offer.kept ? " kept " : " ours ") + std::to_string(offer.doors);
  for (const std::string& name : offer.names) out += " " + name;
  return out;
}

Result<Offer> offer_of(const std::string& text, std::size_t descriptors) {
  const Error otherwise(Code::bad_request, "The running server does not speak as this one does.", text);
  const std::vector<std::string> words = split(text, ' ');
  if (words.size() < 4 || words[0] != "sockets") return otherwise;
  Offer out;
  out.alone = words[1] == kAlone;
  out.kept = words[2] == "kept";
  const auto [end, problem] = std::from_chars(words[3].data(), words[3].data() + words[3].size(), out.doors);
  if (problem != std::errc() || end != words[3].data() + words[3].size()) return otherwise;
  if ((!out.alone && words[1] != kShared) || (!out.kept && words[2] != "ours")) return otherwise;
  out.names.assign(words.begin() + 4, words.end());
  if (out.doors == 0 || out.doors > descriptors || descriptors - out.doors != out.names.size()) return otherwise;
  return out;
}

std::string passed_text(const PassedWords& passed) {
  return std::string("peer ") + (passed.owner ? "owner" : passed.secure ? "secure" : "plain") + " " + passed.address;
}

std::optional<PassedWords> passed_of(const std::string& text) {
  const std::vector<std::string> words = split(text, ' ');
  if (words.size() < 2 || words.size() > 3 || words[0] != "peer") return std::nullopt;
  if (words[1] != "owner" && words[1] != "secure" && words[1] != "plain") return std::nullopt;
  return PassedWords{words[1] == "secure", words[1] == "owner", words.size() == 3 ? words[2] : ""};
}

}  // namespace mandate::server
