#include "base/config.h"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/url.h"

namespace mandate {

namespace {

using Type = Option::Type;

const Option* find_option(std::string_view name) {
  for (const Option& option : config_options())
    if (option.name == name) return &option;
  return nullptr;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string unknown(std::string_view name, std::string_view place) {
  std::string_view nearest;
  std::size_t least = 4;
  for (const Option& option : config_options())
    if (const std::size_t d = distance(name.substr(0, 64), option.name); d < least) least = d, nearest = option.name;
  std::string out = std::string(place) + ": unknown option '" + std::string(name.substr(0, 64)) + "'";
  if (!nearest.empty()) out += ", did you mean '" + std::string(nearest) + "'?";
  return out;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr Unit kSizes[] = {{"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}, {"B", 1}};

/// "10s", "64MiB"; a bare number is in the base unit. nullopt for anything else and for what overflows.
std::optional<std::int64_t> with_unit(std::string_view text, std::span<const Unit> units) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (rest.empty()) return number;
  for (const Unit& unit : units) {
    if (rest != unit.name) continue;
    std::int64_t out = 0;
    if (__builtin_mul_overflow(number, unit.factor, &out)) return std::nullopt;
    return out;
  }
  return std::nullopt;
}

std::string_view kind_words(Type type) {
  switch (type) {
    case Type::integer: return "a whole number";
    case Type::boolean: return "true or false";
    case Type::duration: return "a duration such as 500ms, 10s or 5m";
    case Type::size: return "a size such as 500B, 64KiB or 4MiB";
    default: return "text";
  }
}

/// In the unit people write it in.
std::string show(std::int64_t number, Type type) {
  if (type != Type::duration && type != Type::size) return std::to_string(number);
  if (number == 0) return type == Type::duration ? "0s" : "0B";
  const std::span<const Unit> units = type == Type::duration ? std::span<const Unit>(kDurations) : std::span<const Unit>(kSizes);
  Unit best = units.back().factor == 1 ? units.back() : units.front();
  for (const Unit& unit : units)
    if (number % unit.factor == 0 && unit.factor > best.factor) best = unit;
  return std::to_string(number / best.factor) + std::string(best.name);
}

std::string environment_name(std::string_view option) {
  std::string out = "MANDATE_";
  for (const char c : option) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

/// A TOML value as one would write it on the command line; lists are joined by commas. nullopt for dates and tables.
std::optional<std::string> plain(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  const auto* list = node.as_array();
  if (!list) return std::nullopt;
  std::string out;
  for (const toml::node& entry : *list) {
    const auto* text = entry.as_string();
    if (!text) return std::nullopt;
    out += (out.empty() ? "" : ",") + text->get();
  }
  return out;
}

}  // namespace

Result<Config::Value> Config::read(const Option& option, std::string text, std::string_view source, std::string_view place) {
  Value value;
  value.source = source;
  const auto bad = [&](const std::string& why) {
    return Error(Code::invalid_request, std::string(place) + ": " + std::string(option.name) + " = '" + text.substr(0, 80) + "' " + why);
  };
  std::optional<std::int64_t> number;
  switch (option.type) {
    case Type::boolean:
      if (text == "true" || text == "1" || text == "yes") number = 1;
      else if (text == "false" || text == "0" || text == "no") number = 0;
      if (!number) return bad("must be true or false");
      break;
    case Type::integer:
    case Type::duration:
    case Type::size:
      number = option.type == Type::integer    ? with_unit(text, {})
               : option.type == Type::duration ? with_unit(text, kDurations)
                                               : with_unit(text, kSizes);
      if (!number) return bad("must be " + std::string(kind_words(option.type)));
      if (*number < option.least || *number > option.most)
        return bad("must be between " + show(option.least, option.type) + " and " + show(option.most, option.type));
      break;
    case Type::text:
      if (!option.words.empty()) {
        const std::vector<std::string> words = split(option.words, '|');
        if (std::find(words.begin(), words.end(), text) == words.end()) return bad("must be one of " + std::string(option.words));
      }
      break;
    case Type::list:
      break;
  }
  value.number = number.value_or(0);
  value.text = std::move(text);
  return value;
}

Result<void> Config::set(std::string_view name, std::string text, std::string_view source, std::string_view place) {
  const Option* option = find_option(name);
  if (!option) return Error(Code::invalid_request, unknown(name, place));
  TRY(Value value, read(*option, std::move(text), source, place));
  values_.insert_or_assign(std::string(name), std::move(value));
  return {};
}

Result<void> Config::read_file(const std::string& path, bool must_exist) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    if (!must_exist) return {};
    return Error(Code::invalid_request, path + ": cannot be read");
  }
  std::ostringstream text;
  text << in.rdbuf();
  const toml::parse_result parsed = toml::parse(text.str());
  if (!parsed)
    return Error(Code::invalid_request, path + ":" + std::to_string(parsed.error().source().begin.line) + ": " +
                                            std::string(parsed.error().description()));
  // [script] wall = "5s" is another spelling of script_wall = "5s".
  for (const auto& [key, node] : parsed.table()) {
    const std::string name(key.str());
    const std::string place = path + ":" + std::to_string(node.source().begin.line);
    if (const auto* group = node.as_table()) {
      for (const auto& [inner_key, inner] : *group) {
        const std::optional<std::string> value = plain(inner);
        if (!value) return Error(Code::invalid_request, place + ": " + name + "." + std::string(inner_key.str()) + " has no value we can read");
        CHECK_OK(set(name + "_" + std::string(inner_key.str()), *value, "file", place));
      }
      continue;
    }
    const std::optional<std::string> value = plain(node);
    if (!value) return Error(Code::invalid_request, place + ": " + name + " has no value we can read");
    CHECK_OK(set(name, *value, "file", place));
  }
  return {};
}

Result<Config> Config::load(std::span<const std::string> arguments, const Environment& environment) {
  Config config;
  for (const Option& option : config_options()) {
    TRY(Value value, read(option, std::string(option.usual), "default", "default"));
    config.values_.emplace(option.name, std::move(value));
  }

  std::vector<std::pair<std::string, std::string>> flags;
  std::optional<std::string> file = environment("MANDATE_CONFIG");
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with("--")) return Error(Code::invalid_request, "'" + argument + "' is no option: options begin with --");
    const std::size_t equals = argument.find('=');
    std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::replace(name.begin(), name.end(), '-', '_');
    const Option* option = find_option(name);
    if (!option && name != "config") return Error(Code::invalid_request, unknown(name, "command line"));
    std::string value;
    if (equals != std::string::npos)
      value = argument.substr(equals + 1);
    else if (option && option->type == Type::boolean)
      value = "true";
    else if (i + 1 < arguments.size())
      value = arguments[++i];
    else
      return Error(Code::invalid_request, "command line: " + argument + " needs a value");
    if (name == "config")
      file = std::move(value);
    else
      flags.emplace_back(std::move(name), std::move(value));
  }

  CHECK_OK(config.read_file(file.value_or("mandate.toml"), file.has_value()));
  for (const Option& option : config_options()) {
    const std::string name = environment_name(option.name);
    if (std::optional<std::string> value = environment(name)) CHECK_OK(config.set(option.name, *value, "environment", name));
  }
  for (auto& [name, value] : flags) CHECK_OK(config.set(name, std::move(value), "flag", "command line"));
  return config;
}

Config::Environment Config::process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

const Config::Value& Config::value(std::string_view name, Type type) const {
  const Option* option = find_option(name);
  if (!option || option->type != type) throw std::logic_error("no such option of that type: " + std::string(name));
  return values_.find(name)->second;
}

std::string Config::text(std::string_view name) const { return value(name, Type::text).text; }
std::int64_t Config::integer(std::string_view name) const { return value(name, Type::integer).number; }
bool Config::flag(std::string_view name) const { return value(name, Type::boolean).number != 0; }
std::chrono::milliseconds Config::duration(std::string_view name) const {
  return std::chrono::milliseconds(value(name, Type::duration).number);
}
std::size_t Config::bytes(std::string_view name) const { return static_cast<std::size_t>(value(name, Type::size).number); }

std::vector<std::string> Config::list(std::string_view name) const {
  std::vector<std::string> out;
  for (const std::string& piece : split(value(name, Type::list).text, ',')) {
    const std::size_t first = piece.find_first_not_of(' ');
    if (first != std::string::npos) out.push_back(piece.substr(first, piece.find_last_not_of(' ') - first + 1));
  }
  return out;
}

std::string_view Config::source(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::logic_error("no such option: " + std::string(name));
  return found->second.source;
}

std::string Config::explain() const {
  std::string out = "Options, later ones winning: mandate.toml (or --config FILE), environment MANDATE_NAME, flag --name.\n\n";
  for (const Option& option : config_options()) {
    const Value& value = values_.find(option.name)->second;
    out += std::string(option.name) + " = " + (value.text.empty() ? "\"\"" : without_password(value.text));
    if (value.source != "default") out += "  (" + std::string(value.source) + "; default " + (option.usual.empty() ? "\"\"" : std::string(option.usual)) + ")";
    out += "\n    " + std::string(option.what);
    if (!option.words.empty()) out += "; one of " + std::string(option.words);
    if (option.most > option.least) out += "; " + show(option.least, option.type) + " to " + show(option.most, option.type);
    if (option.type == Type::list) out += "; separated by commas";
    out += "\n";
  }
  return out;
}

}  // namespace mandate
