#include "http/headers.h"

#include <stdexcept>

#include "base/url.h"
#include "http/wire/characters.h"

namespace mandate::http {
namespace {

void check(std::string_view name, std::string_view value) {
  if (!wire::is_token(name)) throw std::invalid_argument("header name is no token");
  bool breaks = false;  // without a way out of the loop, so that it runs over many bytes at once
  for (char c : value) breaks |= (c == '\r') | (c == '\n') | (c == '\0');
  if (breaks) throw std::invalid_argument("header value holds CR, LF or NUL");
}

}  // namespace

const HeaderViews::Field* HeaderViews::find(std::string_view name) const {
  for (const Field& field : fields_)
    if (field.name.size() == name.size() && iequals(field.name, name)) return &field;
  return nullptr;
}

std::string_view HeaderViews::get(std::string_view name) const {
  const Field* field = find(name);
  return field ? field->value : std::string_view();
}

std::size_t HeaderViews::count(std::string_view name) const {
  std::size_t n = 0;
  for (const Field& field : fields_) n += iequals(field.name, name);
  return n;
}

void HeaderViews::rebase(const char* from, std::size_t size, const char* to) {
  auto move = [&](std::string_view& view) {
    if (view.data() >= from && view.data() <= from + size) view = {to + (view.data() - from), view.size()};
  };
  for (Field& field : fields_) move(field.name), move(field.value);
}

Headers& Headers::set(std::string_view name, std::string_view value) {
  check(name, value);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (!iequals(fields_[i].name, name)) continue;
    fields_[i].value = value;
    for (std::size_t j = fields_.size(); --j > i;)
      if (iequals(fields_[j].name, name)) fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(j));
    return *this;
  }
  fields_.push_back({std::string(name), std::string(value)});
  return *this;
}

Headers& Headers::add(std::string_view name, std::string_view value) {
  check(name, value);
  fields_.push_back({std::string(name), std::string(value)});
  return *this;
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return iequals(field.name, name); });
}

std::string_view Headers::get(std::string_view name) const {
  for (const Field& field : fields_)
    if (iequals(field.name, name)) return field.value;
  return {};
}

bool Headers::has(std::string_view name) const {
  for (const Field& field : fields_)
    if (iequals(field.name, name)) return true;
  return false;
}

}  // namespace mandate::http
