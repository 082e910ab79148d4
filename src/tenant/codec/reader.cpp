#include "tenant/codec/reader.h"

#include "base/url.h"

namespace mandate::tenant {

void Problems::add(std::string path, std::string text) { list_.push_back({std::move(path), std::move(text)}); }

Error Problems::error() const {
  std::string hint;
  for (std::size_t i = 0; i < list_.size() && i < 50; ++i) {
    if (i) hint += '\n';
    hint += list_[i].path + ": " + list_[i].text;
  }
  return Error(Code::invalid_request, std::move(hint));
}

std::string ObjectReader::at(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

bool ObjectReader::has(std::string_view name) const {
  const Json* member = object_.if_contains(name);
  return member && !member->is_null();
}

const Json* ObjectReader::any(std::string_view name) {
  seen_.push_back(name);
  const Json* member = object_.if_contains(name);
  return member && !member->is_null() ? member : nullptr;
}

void ObjectReader::text(std::string_view name, std::string& out, std::size_t most) {
  const Json* member = any(name);
  if (!member) return;
  if (!member->is_string())
    return problem(name, member->is_number() || member->is_bool() ? "must be text: put it in quotes" : "must be text");
  const std::string_view value = view(member->get_string());
  if (value.size() > most) return problem(name, "is longer than " + std::to_string(most) + " bytes");
  if (!valid_utf8(value) || value.find('\0') != std::string_view::npos) return problem(name, "is not well-formed text");
  out = value;
}

void ObjectReader::one_of(std::string_view name, std::string& out, std::initializer_list<std::string_view> words) {
  std::string value = out;
  const std::size_t before = problems_.list().size();
  text(name, value);
  if (problems_.list().size() != before || !has(name)) return;
  std::string all;
  for (const std::string_view word : words) {
    if (value == word) {
      out = std::move(value);
      return;
    }
    all += (all.empty() ? "" : ", ") + std::string(word);
  }
  problem(name, "'" + value + "' is none of: " + all);
}

void ObjectReader::flag(std::string_view name, bool& out) {
  const Json* member = any(name);
  if (!member) return;
  if (!member->is_bool()) return problem(name, "must be true or false");
  out = member->get_bool();
}

void ObjectReader::integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most) {
  if (!any(name)) return;
  const std::optional<std::int64_t> value = integer_member(object_, name);
  if (!value) return problem(name, "must be a whole number");
  if (*value < least || *value > most)
    return problem(name, "must be between " + std::to_string(least) + " and " + std::to_string(most));
  out = *value;
}

void ObjectReader::texts(std::string_view name, std::vector<std::string>& out, std::size_t most) {
  const Json* member = any(name);
  if (!member) return;
  if (member->is_string()) {
    out = {std::string(view(member->get_string()))};
    return;
  }
  if (!member->is_array()) return problem(name, "must be a list of texts");
  if (member->get_array().size() > most) return problem(name, "has more than " + std::to_string(most) + " entries");
  out.clear();
  for (std::size_t i = 0; i < member->get_array().size(); ++i) {
    const Json& entry = member->get_array()[i];
    if (!entry.is_string())
      problems_.add(at(name) + "[" + std::to_string(i) + "]", "must be text");
    else if (std::string value(view(entry.get_string())); std::find(out.begin(), out.end(), value) != out.end())
      problems_.add(at(name) + "[" + std::to_string(i) + "]", "'" + value + "' is listed twice");
    else
      out.push_back(std::move(value));
  }
}

const JsonObject* ObjectReader::object(std::string_view name) {
  const Json* member = any(name);
  if (!member) return nullptr;
  if (member->is_object()) return &member->get_object();
  problem(name, "must be a group of settings (name: value)");
  return nullptr;
}

const JsonArray* ObjectReader::array(std::string_view name) {
  const Json* member = any(name);
  if (!member) return nullptr;
  if (member->is_array()) return &member->get_array();
  problem(name, "must be a list");
  return nullptr;
}

void ObjectReader::finish(std::span<const std::string_view> keep, JsonObject* extra) {
  for (const auto& [key, value] : object_) {
    const std::string_view name(key.data(), key.size());
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) continue;
    if (std::find(keep.begin(), keep.end(), name) == keep.end())
      problem(name, "is no setting we know");
    else if (extra && !value.is_null())
      (*extra)[name] = value;
  }
}

void put(JsonObject& out, std::string_view name, const std::string& value, std::string_view usual) {
  if (value != usual) out[name] = value;
}
void put(JsonObject& out, std::string_view name, bool value, bool usual) {
  if (value != usual) out[name] = value;
}
void put(JsonObject& out, std::string_view name, std::int64_t value, std::int64_t usual) {
  if (value != usual) out[name] = value;
}
void put(JsonObject& out, std::string_view name, const std::vector<std::string>& value) {
  if (value.empty()) return;
  JsonArray list;
  for (const std::string& text : value) list.emplace_back(text);
  out[name] = std::move(list);
}

}  // namespace mandate::tenant
