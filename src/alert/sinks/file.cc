#include "alert/sinks/file_log.h"
#include "alert/sinks/settings.h"

namespace beaconry::sinks {
namespace {

Result<std::unique_ptr<Sink>> make(const ConfigValues& config) {
  if (!config.boolean("alerting.file.enabled")) return std::unique_ptr<Sink>();
  FileLog::Options options;
  options.path = *config.text("alerting.file.path");
  options.max_bytes = *config.count("alerting.file.max_size_mb") << 20;
  options.backups = static_cast<unsigned>(*config.count("alerting.file.backup_count"));
  auto log = std::make_unique<FileLog>(options);
  if (auto opened = log->open(); !opened) {
    return refuse_key(config, "alerting.file.path", opened.error().message());
  }
  return std::unique_ptr<Sink>(std::move(log));
}

}  // namespace

extern const SinkKind file;
constinit const SinkKind file{"file", make};

}  // namespace beaconry::sinks
