#include "http/params.h"

#include "base/url.h"
#include "http/wire/characters.h"

namespace mandate::http {
namespace {

constexpr std::size_t kFormFields = 100;

/// The media type without parameters, in lower case.
std::string media_type(std::string_view content_type) {
  return ascii_lower(wire::trim(content_type.substr(0, content_type.find(';'))));
}

std::string as_text(const Json& value) {
  if (const auto* text = value.if_string()) return std::string(view(*text));
  return to_json(value);
}

}  // namespace

Params Params::of_query(std::string_view query) {
  Params params;
  for (auto& [name, value] : parse_form(query))
    if (!value.empty()) params.values_[std::move(name)].push_back(std::move(value));
  return params;
}

Result<Params> Params::of(const Request& request) {
  if (request.refused == 413) return Error(Code::payload_too_large, "The request body is too large.");
  if (request.refused) return Error(Code::invalid_request, "The request body is malformed.");
  Params params = of_query(request.query);
  // As of a form: what is not UTF-8 would come back in a JSON answer that is none.
  for (const auto& [name, values] : params.values_)
    for (const std::string& value : values)
      if (!valid_utf8(name) || !valid_utf8(value)) return Error(Code::invalid_request, "The query is not UTF-8.");
  const bool bodiless = request.method == Method::get || request.method == Method::head ||
                        request.method == Method::delete_ || request.method == Method::options;
  if (bodiless || request.body.empty()) return params;

  const std::string type = media_type(request.headers.get("Content-Type"));
  if (type == "application/x-www-form-urlencoded") {
    auto fields = parse_form(request.body);
    if (fields.size() > kFormFields) return Error(Code::invalid_request, "The form has too many fields.");
    for (auto& [name, value] : fields) {
      if (!valid_utf8(name) || !valid_utf8(value)) return Error(Code::invalid_request, "The form is not UTF-8.");
      if (!value.empty()) params.values_[std::move(name)].push_back(std::move(value));
    }
    return params;
  }
  if (!type.empty() && type != "application/json" && !type.ends_with("+json"))
    return Error(Code::unsupported_media_type, "Send a form or JSON.");

  TRY(Json json, parse_json(request.body));
  if (!json.is_object()) return Error(Code::invalid_request, "The body must be a JSON object.");
  params.json_ = std::move(json.as_object());
  for (const auto& member : *params.json_) {
    const std::string name(member.key());
    const Json& value = member.value();
    if (value.is_object() || value.is_array()) {
      params.structured_[name] = true;
      if (const auto* array = value.if_array())
        for (const Json& each : *array)
          if (each.is_string() && !each.get_string().empty()) params.values_[name].push_back(as_text(each));
    } else if (!value.is_null()) {
      if (std::string text = as_text(value); !text.empty()) params.values_[name].push_back(std::move(text));
    }
  }
  return params;
}

std::string_view Params::get(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() || at->second.empty() || structured_.contains(name) ? std::string_view() : at->second.front();
}

std::vector<std::string_view> Params::all(std::string_view name) const {
  std::vector<std::string_view> out;
  if (const auto at = values_.find(name); at != values_.end()) out.assign(at->second.begin(), at->second.end());
  return out;
}

Result<void> Params::refuse_repeated(std::initializer_list<std::string_view> names) const {
  for (std::string_view name : names) {
    const auto at = values_.find(name);
    if (structured_.contains(name)) return Error(Code::invalid_request, std::string(name) + " must be text.");
    if (at != values_.end() && at->second.size() > 1)
      return Error(Code::invalid_request, std::string(name) + " is given more than once.");
  }
  return {};
}

}  // namespace mandate::http
