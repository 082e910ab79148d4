#include "base/yaml.h"

namespace mandate {

namespace {

/// True when the text, written plain, reads back as the same text.
bool plain_is_safe(std::string_view text) {
  if (text.empty() || text.size() > 200 || text == "~" || text.front() == ' ' || text.back() == ' ') return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text[0]) && text[0] != '/') return false;
  for (const char c : text)
    if (!letter(c) && !(c >= '0' && c <= '9') && std::string_view(" ._-/@+:$(){}").find(c) == std::string_view::npos) return false;
  if (text.find(": ") != std::string_view::npos || text.back() == ':') return false;
  for (const std::string_view word : {"null", "true", "false"}) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower == word) return false;
  }
  return true;
}

/// Several lines that a literal block keeps byte for byte.
bool fits_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n' || text.front() == '\t') return false;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F) return false;
  // U+0085, U+2028 and U+2029 are line breaks to YAML 1.1 readers.
  return text.find("\xC2\x85") == std::string_view::npos && text.find("\xE2\x80\xA8") == std::string_view::npos &&
         text.find("\xE2\x80\xA9") == std::string_view::npos && !text.ends_with("\n\n");
}

void write_text(std::string& out, std::string_view text) {
  if (plain_is_safe(text)) {
    out += text;
    return;
  }
  // Double quotes with JSON's escapes, and no byte that YAML would fold or refuse.
  std::string json;
  append_json_string(json, text);
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == 0x7F)
      out += "\\x7F";
    else if (json.compare(i, 2, "\xC2\x85") == 0)
      out += "\\x85", ++i;
    else if (json.compare(i, 3, "\xE2\x80\xA8") == 0)
      out += "\\u2028", i += 2;
    else if (json.compare(i, 3, "\xE2\x80\xA9") == 0)
      out += "\\u2029", i += 2;
    else
      out += json[i];
  }
}

void write_block(std::string& out, std::string_view text, std::size_t indent) {
  out += text.ends_with('\n') ? "|\n" : "|-\n";
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end) out.append(indent, ' ').append(text.substr(0, end));
    out += '\n';
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

void write(std::string& out, const Json& value, std::size_t indent);

/// After "key:" or "-": on the same line, or on lines of its own.
void write_member(std::string& out, const Json& value, std::size_t indent) {
  if (value.is_string() && fits_block(view(value.get_string()))) {
    out += ' ';
    return write_block(out, view(value.get_string()), indent);
  }
  const bool nested = (value.is_object() && !value.get_object().empty()) || (value.is_array() && !value.get_array().empty());
  if (nested) {
    out += '\n';
    return write(out, value, indent);
  }
  out += ' ';
  if (value.is_string())
    write_text(out, view(value.get_string()));
  else
    append_json(out, value);
  out += '\n';
}

void write(std::string& out, const Json& value, std::size_t indent) {
  if (value.is_object() && !value.get_object().empty()) {
    for (const auto& [key, member] : value.get_object()) {
      out.append(indent, ' ');
      write_text(out, {key.data(), key.size()});
      out += ':';
      write_member(out, member, indent + 2);
    }
  } else if (value.is_array() && !value.get_array().empty()) {
    for (const Json& entry : value.get_array()) {
      if (entry.is_object() && !entry.get_object().empty()) {  // "- first: …", the others below it
        const std::size_t at = out.size();
        write(out, entry, indent + 2);
        out[at + indent] = '-';
        continue;
      }
      out.append(indent, ' ').append("-");
      write_member(out, entry, indent + 2);
    }
  } else {
    out.append(indent, ' ');
    if (value.is_string())
      write_text(out, view(value.get_string()));
    else
      append_json(out, value);
    out += '\n';
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  std::string out;
  write(out, value, 0);
  return out;
}

}  // namespace mandate
