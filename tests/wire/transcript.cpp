#include "tests/wire/transcript.h"

#include "base/json.h"
#include "base/url.h"

namespace mandate::wire {
namespace {

bool is_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 >= line.size() || line[colon + 1] != ' ') return false;
  for (char c : line.substr(0, colon))
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return true;
}

Field header_of(std::string_view line) {
  const std::size_t colon = line.find(':');
  return {std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))};
}

bool is_json(std::string_view body) { return !body.empty() && (body[0] == '{' || body[0] == '['); }

void append_body(std::string& body, std::string_view line) {
  const bool json = is_json(body.empty() ? line : std::string_view(body));
  const std::size_t from = line.find_first_not_of(' ');
  body += json || from == std::string_view::npos ? line : line.substr(from);
}

// Matches `text` against `pattern` with {{name}} holes, shortest first, backtracking; bound names must repeat.
bool match(std::string_view pattern, std::string_view text, Captures& captures) {
  const std::size_t open = pattern.find("{{");
  if (open == std::string_view::npos) return pattern == text;
  if (text.substr(0, open) != pattern.substr(0, open)) return false;
  const std::size_t close = pattern.find("}}", open);
  if (close == std::string_view::npos) return pattern == text;
  const std::string name(pattern.substr(open + 2, close - open - 2));
  const std::string_view rest = pattern.substr(close + 2);
  text.remove_prefix(open);
  if (auto known = captures.find(name); name != "_" && known != captures.end())
    return text.starts_with(known->second) && match(rest, text.substr(known->second.size()), captures);
  for (std::size_t length = rest.empty() ? text.size() : 0; length <= text.size(); ++length) {
    Captures attempt = captures;
    if (name != "_") attempt[name] = text.substr(0, length);
    if (match(rest, text.substr(length), attempt)) {
      captures = std::move(attempt);
      return true;
    }
  }
  return false;
}

std::string differs_json(const Json& expected, const Json& actual, const std::string& path, Captures& captures);

std::string differs_object(const JsonObject& expected, const Json& actual, const std::string& path, Captures& captures) {
  if (!actual.is_object()) return path + ": expected an object, got " + to_json(actual);
  const JsonObject& object = actual.get_object();
  for (const auto& member : expected) {
    if (member.key() == "...") continue;
    const Json* value = object.if_contains(member.key());
    if (!value) return path + "." + std::string(member.key()) + " is missing in " + to_json(actual);
    if (auto text = differs_json(member.value(), *value, path + "." + std::string(member.key()), captures); !text.empty()) return text;
  }
  if (!expected.contains("..."))
    for (const auto& member : object)
      if (!expected.contains(member.key()))
        return path + "." + std::string(member.key()) + " was not expected: " + to_json(member.value());
  return {};
}

std::string differs_json(const Json& expected, const Json& actual, const std::string& path, Captures& captures) {
  if (expected.is_object()) return differs_object(expected.get_object(), actual, path, captures);
  if (expected.is_array()) {
    if (!actual.is_array() || actual.get_array().size() != expected.get_array().size())
      return path + ": expected " + to_json(expected) + ", got " + to_json(actual);
    for (std::size_t i = 0; i < expected.get_array().size(); ++i)
      if (auto text = differs_json(expected.get_array()[i], actual.get_array()[i], path + "[" + std::to_string(i) + "]", captures); !text.empty())
        return text;
    return {};
  }
  if (expected.is_string()) {
    const std::string_view pattern = view(expected.get_string());
    // A hole that is the whole text also captures numbers and booleans.
    if (pattern.find("{{") != std::string_view::npos) {
      const std::string text = actual.is_string() ? std::string(view(actual.get_string())) : to_json(actual);
      return match(pattern, text, captures) ? "" : path + ": expected " + fill(pattern, captures) + ", got " + text;
    }
  }
  return to_json(expected) == to_json(actual) ? "" : path + ": expected " + to_json(expected) + ", got " + to_json(actual);
}

}  // namespace

Result<Transcript> parse(std::string_view text) {
  Transcript out;
  int number = 0;
  enum class In { nothing, request_headers, request_body, answer_headers, answer_body } in = In::nothing;
  auto bad = [&](std::string why) { return Error(Code::invalid_request, "line " + std::to_string(number) + ": " + why); };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line[0] == '#') {
      if (out.title.empty() && line.size() > 2) out.title = line.substr(2);
      in = line.empty() ? In::nothing : in;
      continue;
    }
    const char mark = line[0];
    line.remove_prefix(std::min<std::size_t>(2, line.size()));
    if (mark == '+') {
      const char unit = line.empty() ? ' ' : line.back();
      const long long amount = std::atoll(std::string(line).c_str());
      const long long ms = unit == 's' ? 1000 : unit == 'm' ? 60'000 : unit == 'h' ? 3'600'000 : unit == 'd' ? 86'400'000 : 0;
      if (!ms || !amount) return bad("expected a time such as 61s");
      out.steps.emplace_back(Pause{std::chrono::milliseconds(amount * ms)});
    } else if (mark == '>') {
      if (in == In::request_headers || in == In::request_body) {
        auto& exchange = std::get<Exchange>(out.steps.back());
        if (in == In::request_headers && is_header(line)) exchange.headers.push_back(header_of(line));
        else in = In::request_body, append_body(exchange.body, line);
      } else {
        const std::size_t blank = line.find(' ');
        if (blank == std::string_view::npos) return bad("expected METHOD /target");
        Exchange exchange;
        exchange.line = number, exchange.method = line.substr(0, blank), exchange.target = line.substr(blank + 1);
        out.steps.emplace_back(std::move(exchange));
        in = In::request_headers;
      }
    } else if (mark == '<') {
      if (out.steps.empty() || !std::holds_alternative<Exchange>(out.steps.back())) return bad("an answer without a request");
      auto& exchange = std::get<Exchange>(out.steps.back());
      if (in == In::request_headers || in == In::request_body) {
        exchange.status = std::atoi(std::string(line.substr(0, 3)).c_str());
        if (exchange.status < 100) return bad("expected a status");
        if (line.size() > 4) exchange.media_type = line.substr(4);
        in = In::answer_headers;
      } else if (in == In::answer_headers && line.starts_with("! ")) {
        exchange.forbidden_headers.emplace_back(line.substr(2));
      } else if (in == In::answer_headers && is_header(line)) {
        exchange.expected_headers.push_back(header_of(line));
      } else if (in == In::answer_headers || in == In::answer_body) {
        in = In::answer_body;
        exchange.body_given = true;
        if (line != "(empty)") append_body(exchange.expected_body, line);
      } else {
        return bad("an answer without a request");
      }
    } else {
      return bad("a line starts with #, >, < or +");
    }
  }
  for (const Step& step : out.steps)
    if (const auto* exchange = std::get_if<Exchange>(&step); exchange && !exchange->status)
      return Error(Code::invalid_request, "line " + std::to_string(exchange->line) + ": a request without an answer");
  return out;
}

std::string_view Answer::header(std::string_view name) const {
  for (const Field& field : headers)
    if (iequals(field.first, name)) return field.second;
  return {};
}

std::string fill(std::string_view text, const Captures& captures) {
  std::string out;
  for (std::size_t open; (open = text.find("{{")) != std::string_view::npos;) {
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) break;
    const std::string_view name = text.substr(open + 2, close - open - 2);
    out += text.substr(0, open);
    const auto known = captures.find(name);
    out += known != captures.end() ? known->second : text.substr(open, close + 2 - open);
    text.remove_prefix(close + 2);
  }
  return out += text;
}

std::string differs(const Exchange& expected, const Answer& answer, Captures& captures) {
  if (expected.status != answer.status)
    return "status " + std::to_string(answer.status) + " instead of " + std::to_string(expected.status) + ", body: " + answer.body.substr(0, 600);
  if (!expected.media_type.empty()) {
    const std::string_view type = answer.header("Content-Type");
    if (type.substr(0, expected.media_type.size()) != expected.media_type)
      return "Content-Type " + std::string(type) + " instead of " + expected.media_type;
  }
  for (const auto& [name, pattern] : expected.expected_headers) {
    bool found = false;
    for (const Field& field : answer.headers) found = found || (iequals(field.first, name) && match(pattern, field.second, captures));
    if (!found) return "header " + name + ": expected " + fill(pattern, captures) + ", got \"" + std::string(answer.header(name)) + "\"";
  }
  for (const std::string& name : expected.forbidden_headers)
    for (const Field& field : answer.headers)
      if (iequals(field.first, name)) return "header " + name + " must not be there: " + field.second;
  if (!expected.body_given) return {};
  if (is_json(expected.expected_body)) {
    auto want = parse_json(expected.expected_body);
    if (!want.ok()) return "the expected body is not JSON: " + expected.expected_body;
    auto got = parse_json(answer.body);
    if (!got.ok()) return "the body is not JSON: " + answer.body.substr(0, 600);
    return differs_json(*want, *got, "$", captures);
  }
  return match(expected.expected_body, answer.body, captures) ? "" : "expected body " + fill(expected.expected_body, captures) + ", got " + answer.body.substr(0, 600);
}

std::string odd_date(std::string_view body) {
  const auto like = [](std::string_view text, std::string_view pattern) {
    if (text.size() < pattern.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i)
      if (pattern[i] == '0' ? (text[i] < '0' || text[i] > '9') : text[i] != pattern[i]) return false;
    return true;
  };
  for (std::size_t at; (at = body.find('"')) != std::string_view::npos;) {
    body.remove_prefix(at + 1);
    if (like(body, "0000-00-00T00:00") && !like(body, "0000-00-00T00:00:00.000Z\"")) return std::string(body.substr(0, body.find('"')));
  }
  return {};
}

}  // namespace mandate::wire
