#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cmath>
#include <sstream>

#include "base/url.h"

namespace mandate {

namespace {

/// Thrown inside the library's callbacks and caught around them: yaml-cpp has no other way to stop.
struct Refused {
  Error error;
};

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& why) {
  throw Refused{Error(Code::invalid_request, "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1) + ": " + why)};
}

/// A plain scalar by the core schema of YAML 1.2, without octal, hex, infinity and NaN.
Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::size_t sign = text[0] == '-' ? 1 : 0;
  const std::string_view digits = std::string_view(text).substr(sign);
  const bool number = !digits.empty() && digits[0] >= '0' && digits[0] <= '9' &&
                      digits.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
                      !(digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9');
  if (!number) return Json(boost::json::string(text));
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, whole); error == std::errc() && at == end) return whole;
  double real = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, real); error == std::errc() && at == end && std::isfinite(real)) return real;
  return Json(boost::json::string(text));
}

/// What an alias costs: all it stands for.
struct Weight {
  std::size_t values = 0, bytes = 0, depth = 0;
};
Weight weigh(const Json& value) {
  Weight sum{1, value.is_string() ? value.get_string().size() : 0, 0};
  const auto take_in = [&](const Json& entry) {
    const Weight w = weigh(entry);
    sum.values += w.values, sum.bytes += w.bytes, sum.depth = std::max(sum.depth, w.depth);
  };
  if (value.is_array())
    for (const Json& entry : value.get_array()) take_in(entry);
  else if (value.is_object())
    for (const auto& [key, entry] : value.get_object()) take_in(entry), sum.bytes += key.size();
  if (value.is_structured()) ++sum.depth;
  return sum;
}

class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  Json take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, nullptr, anchor, true); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "an alias inside what it names");
    const Weight w = weigh(found->second);
    count(mark, w.values - 1, w.bytes);
    if (w.depth + open_.size() > limits_.depth) refuse(mark, "nested too deep");
    add(mark, found->second, 0, false);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    if (value.size() > limits_.string_bytes) refuse(mark, "the text is too long");
    if (!valid_utf8(value) || value.find('\0') != std::string::npos) refuse(mark, "not well-formed UTF-8");
    if (tag == "?") return add(mark, plain_scalar(value), anchor, true);
    if (tag != "!" && !tag.empty()) refuse(mark, "tags are not supported");
    add(mark, Json(boost::json::string(value)), anchor, false);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, JsonArray());
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, JsonObject());
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    Json value;
    std::optional<std::string> key;
    YAML::anchor_t anchor;
    YAML::Mark mark;
  };

  void count(const YAML::Mark& mark, std::size_t values, std::size_t bytes) {
    values_ += values;
    bytes_ += bytes;
    // Without aliases the text itself is the bound.
    if (values_ > limits_.values || bytes_ > 2 * limits_.bytes) refuse(mark, "too many values");
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Json empty) {
    if (tag != "?" && tag != "!" && !tag.empty()) refuse(mark, "tags are not supported");
    if (!open_.empty() && open_.back().value.is_object() && !open_.back().key) refuse(mark, "a key must be text");
    if (open_.size() >= limits_.depth) refuse(mark, "nested too deep");
    open_.push_back({std::move(empty), {}, anchor, mark});
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(done.mark, std::move(done.value), done.anchor, false);
  }

  void add(const YAML::Mark& mark, Json value, YAML::anchor_t anchor, bool plain) {
    count(mark, 1, 0);
    if (anchor) anchors_[anchor] = value;
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.value.is_array()) {
      parent.value.get_array().push_back(std::move(value));
      return;
    }
    JsonObject& object = parent.value.get_object();
    if (parent.key) {
      object[*parent.key] = std::move(value);
      parent.key.reset();
      return;
    }
    if (!value.is_string()) refuse(mark, plain ? "a key must be text: put it in quotes" : "a key must be text");
    std::string key(view(value.get_string()));
    if (plain && key == "<<") refuse(mark, "merge keys are not supported");
    if (object.contains(key)) refuse(mark, "'" + key.substr(0, 80) + "' is there twice");
    if (object.size() >= limits_.members) refuse(mark, "too many members");
    parent.key = std::move(key);
  }

  const JsonLimits& limits_;
  Json root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Json> anchors_;
  std::size_t values_ = 0, bytes_ = 0;
};

}  // namespace

Result<Json> parse_yaml(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) return Error(Code::payload_too_large, "The file is larger than " + std::to_string(limits.bytes) + " bytes.");
  if (!valid_utf8(text)) return Error(Code::invalid_request, "The file is not UTF-8.");
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r')
      return Error(Code::invalid_request, "The file has a control character in it; write it as an escape in double quotes.");
  std::istringstream in{std::string(text)};
  try {
    YAML::Parser parser(in);
    Builder first(limits), second(limits);
    if (!parser.HandleNextDocument(first)) return Json(nullptr);
    if (parser.HandleNextDocument(second)) return Error(Code::invalid_request, "The file holds more than one document.");
    return first.take();
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const YAML::Exception& e) {
    return Error(Code::invalid_request,
                 "line " + std::to_string(e.mark.line + 1) + ", column " + std::to_string(e.mark.column + 1) + ": " + e.msg);
  }
}

}  // namespace mandate
