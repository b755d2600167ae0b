#include "base/log.h"

#define SPDLOG_HEADER_ONLY
#define FMT_HEADER_ONLY
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// The words that users' filters know.
class LevelName : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    std::string_view name = "INFO   ";
    if (message.level == spdlog::level::debug) name = "DEBUG  ";
    if (message.level == spdlog::level::warn) name = "WARNING";
    if (message.level == spdlog::level::err) name = "ERROR  ";
    if (trimmed_) name = trim(name);
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>(trimmed_);
  }
  explicit LevelName(bool trimmed) : trimmed_(trimmed) {}

 private:
  bool trimmed_;
};

std::unique_ptr<spdlog::formatter> formatter(bool json) {
  auto made = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  made->add_flag<LevelName>('*', json);
  made->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%*","message":"%v"})"
                         : "%Y-%m-%dT%H:%M:%S.%eZ %* %v");
  return made;
}

struct Target {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

std::shared_ptr<const Target> make_target(std::shared_ptr<spdlog::sinks::sink> sink,
                                          const LogOptions& options) {
  auto target = std::make_shared<Target>();
  target->json = options.json;
  target->logger = std::make_shared<spdlog::logger>("beaconry", std::move(sink));
  target->logger->set_formatter(formatter(options.json));
  target->logger->set_level(level_of(options.level));
  target->logger->flush_on(spdlog::level::trace);
  return target;
}

std::shared_ptr<const Target>& current() {
  static std::shared_ptr<const Target> target =
      make_target(std::make_shared<spdlog::sinks::stderr_sink_mt>(), LogOptions{});
  return target;
}

std::string json_safe(std::string_view text) {
  std::string safe;
  for (const char c : utf8_valid(text)) {
    if (c == '"' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

}  // namespace

Result<void> open_log(const LogOptions& options) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  try {
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file, options.max_bytes,
                                                                    options.backups);
    }
    std::atomic_store(&current(), make_target(std::move(sink), options));
  } catch (const std::exception& error) {
    return fail(ErrorKind::io, "open log", options.file, error.what());
  }
  return {};
}

void log(LogLevel level, std::string_view message) {
  const auto target = std::atomic_load(&current());
  if (!target->logger->should_log(level_of(level))) return;
  // A log must never end a program: what the library throws (a full disk) it reports by itself.
  const std::string safe = terminal_safe(message);
  target->logger->log(level_of(level), target->json ? json_safe(safe) : safe);
}

}  // namespace beaconry
