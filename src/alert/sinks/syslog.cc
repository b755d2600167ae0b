#include <unistd.h>

#include <array>
#include <utility>

#include "alert/sink.h"
#include "alert/sinks/settings.h"
#include "alert/sinks/syslog_message.h"
#include "alert/sinks/syslog_socket.h"

namespace beaconry::sinks {
namespace {

class Syslog : public Sink {
 public:
  Syslog(std::unique_ptr<SyslogSocket> socket, SyslogFormat format, SyslogOrigin origin)
      : socket_(std::move(socket)), format_(format), origin_(std::move(origin)) {}

  Result<void> deliver(const Alert& alert) override {
    return socket_->send(syslog_message(alert, format_, origin_));
  }

 private:
  const std::unique_ptr<SyslogSocket> socket_;
  const SyslogFormat format_;
  const SyslogOrigin origin_;
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

Result<std::unique_ptr<Sink>> make(const ConfigValues& config) {
  if (!config.boolean("alerting.syslog.enabled")) return std::unique_ptr<Sink>();
  SyslogOrigin origin;
  origin.facility = syslog_facility(*config.text("alerting.syslog.facility"));
  if (const auto level = config.text("alerting.syslog.level")) {
    origin.severity = syslog_level(*level);
  }
  origin.host = host_name();
  origin.process = std::to_string(::getpid());
  const SyslogFormat format =
      *config.text("alerting.syslog.format") == "cef" ? SyslogFormat::cef : SyslogFormat::rfc5424;
  auto socket = SyslogSocket::make(
      *config.text("alerting.syslog.address"), config.text("alerting.syslog.ca_file").value_or(""),
      std::chrono::ceil<std::chrono::milliseconds>(*config.duration("alerting.syslog.timeout")));
  if (!socket) return refuse_key(config, "alerting.syslog.address", socket.error().message());
  return std::unique_ptr<Sink>(
      std::make_unique<Syslog>(std::move(*socket), format, std::move(origin)));
}

}  // namespace

extern const SinkKind syslog;
constinit const SinkKind syslog{"syslog", make};

}  // namespace beaconry::sinks
