#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/json.h"
#include "base/url.h"

namespace mandate {

struct Log::Sink {
  std::function<void(std::string_view)> custom;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger;
};

Log::Log(const Clock& clock, Level least, std::function<void(std::string_view)> sink)
    : clock_(clock), least_(least), sink_(std::make_unique<Sink>()) {
  if (sink) {
    sink_->custom = std::move(sink);
    return;
  }
  // A bounded queue that drops the oldest line: a stalled terminal must not stall the server.
  sink_->pool = std::make_shared<spdlog::details::thread_pool>(8192, 1);
  sink_->logger = std::make_shared<spdlog::async_logger>("mandated", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                         sink_->pool, spdlog::async_overflow_policy::overrun_oldest);
  sink_->logger->set_pattern("%v");
  sink_->logger->set_level(spdlog::level::trace);
}

Log::~Log() = default;

void Log::write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!on(level)) return;
  constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
  constexpr std::size_t kLongest = 1024;
  std::string line = "{\"time\":\"";
  append_iso8601(line, clock_.now_ms());
  line += "\",\"level\":\"";
  line += kNames[static_cast<int>(level)];
  line += "\",\"event\":";
  append_json_string(line, event);
  for (const Field& field : fields) {
    line += ',';
    append_json_string(line, field.name);
    line += ':';
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      std::string_view cut = text->substr(0, kLongest);
      while (cut.size() < text->size() && !cut.empty() && (static_cast<unsigned char>((*text)[cut.size()]) & 0xC0) == 0x80)
        cut.remove_suffix(1);  // do not cut inside a character
      append_json_string(line, valid_utf8(cut) ? cut : std::string_view("(not UTF-8)"));
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      line += std::to_string(*number);
    } else if (const auto* real = std::get_if<double>(&field.value)) {
      append_json_number(line, *real);
    } else {
      line += std::get<bool>(field.value) ? "true" : "false";
    }
  }
  line += '}';
  if (sink_->custom) sink_->custom(line);
  else sink_->logger->log(level == Level::error ? spdlog::level::err : spdlog::level::info, line);
}

std::string loggable_query(std::string_view query) {
  constexpr std::string_view kSensitive[] = {"token", "code", "password", "secret", "state", "assertion", "ticket",
                                             "verifier", "username", "email", "nonce", "key", "hint"};
  std::string out;
  for (std::string_view piece; !query.empty();) {
    const std::size_t end = std::min(query.find('&'), query.size());
    piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(piece.find('='), piece.size());
    const std::string name = ascii_lower(piece.substr(0, equals));
    bool hide = false;
    for (std::string_view word : kSensitive) hide = hide || name.find(word) != std::string::npos;
    if (!out.empty()) out += '&';
    out += hide && equals < piece.size() ? std::string(piece.substr(0, equals)) + "=***" : std::string(piece);
  }
  return out;
}

}  // namespace mandate
