#include "program.h"

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "image/image.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestToken = 4096;
constexpr auto kLastAnswers = std::chrono::seconds{2};
constexpr unsigned kApiWorkers = 4;

// What stays, for this process and those it starts (nft, udhcpc, mosquitto):
//   NET_ADMIN, NET_RAW, SYS_ADMIN (setns), SYS_PTRACE (/proc/PID/ns of containers' processes):
//     interfaces, contracts and addresses in the containers' namespaces
//   DAC_OVERRIDE, DAC_READ_SEARCH, CHOWN, FOWNER: files of mapped ids, run folders, LXD's socket
//   SETUID, SETGID, SETPCAP, KILL: the broker becomes another user, and is ended
//   NET_BIND_SERVICE: DHCP's port
constexpr unsigned kKept[] = {CAP_CHOWN,     CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,  CAP_FOWNER,
                              CAP_KILL,      CAP_SETGID,       CAP_SETUID,           CAP_SETPCAP,
                              CAP_NET_RAW,   CAP_NET_ADMIN,    CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN,
                              CAP_SYS_PTRACE};

Timestamp now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

Result<void> make_folder(const std::string& folder, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorKind::io, "make folder", folder, error.message());
  if (::chmod(folder.c_str(), mode) != 0) return fail_errno("restrict folder", folder);
  return {};
}

}  // namespace

Result<std::unique_ptr<SensorProgram>> SensorProgram::start(SensorArguments arguments,
                                                            SensorSettings settings) {
  std::unique_ptr<SensorProgram> program(
      new SensorProgram(std::move(arguments), std::move(settings)));
  if (auto opened = program->open(); !opened) {
    return tl::unexpected<Error>(std::move(opened.error()));
  }
  return program;
}

SensorProgram::~SensorProgram() {
  // Where opening failed half way: whoever asks the sensor something waits for its loop, or its
  // end.
  if (sensor_ && !has_run_) {
    sensor_->stop();
    sensor_->run();
  }
  if (server_) server_->stop(kLastAnswers);
}

Result<void> SensorProgram::open() {
  if (::geteuid() != 0) {
    return fail(ErrorKind::usage, "run", "beaconry-sensor",
                "it needs root: it moves interfaces into containers and sets their contracts");
  }
  // Before any thread is there, so that all of them leave the signals to us.
  sigset_t ours;
  sigemptyset(&ours);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&ours, signal);
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = Fd(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return fail_errno("wait for", "signals");
  for (const std::string* folder : {&settings_.state_folder, &settings_.spool_folder}) {
    if (auto made = make_folder(*folder, 0700); !made) return made;
  }
  // The bus and the instruments' folders lie below: LXD shares them in.
  if (auto made = make_folder(settings_.run_folder, 0755); !made) return made;
  auto identity = EdgeIdentity::open(settings_.state_folder, settings_.name);
  if (!identity) return tl::unexpected<Error>(std::move(identity.error()));
  identity_ = std::move(*identity);
  if (auto done = limit_capabilities({std::begin(kKept), std::end(kKept)}); !done) return done;
  if (auto opened = open_sensor(); !opened) return opened;
  if (auto opened = open_fleet(); !opened) return opened;
  api_ = std::make_unique<SensorApi>(*sensor_, fleet_.get());
  HttpServer::Options options;
  options.listen = {"unix:" + settings_.socket};
  options.workers = kApiWorkers;
  auto server = HttpServer::start(options, *api_);
  if (!server) return tl::unexpected<Error>(std::move(server.error()));
  server_ = std::move(*server);
  log_info("Answering at " + settings_.socket);
  return {};
}

Result<std::optional<Sender::Options>> SensorProgram::uplink() {
  Sender::Options options;
  options.server.url = settings_.server_url;
  if (auto joined = joined_server(settings_.state_folder)) {
    options.server.url = joined->url;
    options.server.ca_pem = joined->ca_pem;
  } else if (joined.error().kind != ErrorKind::not_found) {
    return tl::unexpected<Error>(joined.error());
  }
  if (options.server.url.empty()) {
    log_warning("No server was joined and sensor.server is not set: events stay in the spool");
    return std::optional<Sender::Options>();
  }
  options.server.certificate_pem = identity_.certificate_pem;
  options.server.key_pem = identity_.key_pem;
  if (!settings_.token_file.empty()) {
    auto text = read_small_file(settings_.token_file, kLongestToken);
    if (!text) return tl::unexpected<Error>(std::move(text.error()));
    options.token = trim(*text);
  }
  options.edge = identity_.fingerprint;
  options.edge_name = identity_.name;
  log_info("Sending to " + options.server.url + " as '" + identity_.name + "' (" +
           identity_.fingerprint.substr(0, 16) + "...)");
  return std::optional<Sender::Options>(std::move(options));
}

// Only a server that was joined knows this sensor by its key, and has told its own.
Result<void> SensorProgram::open_fleet() {
  FleetLink::Options options;
  const auto joined = joined_server(settings_.state_folder);
  if (!joined && joined.error().kind != ErrorKind::not_found)
    return tl::unexpected<Error>(joined.error());
  if (joined) {
    HttpClient::Options server;
    server.url = joined->url;
    server.ca_pem = joined->ca_pem;
    server.certificate_pem = identity_.certificate_pem;
    server.key_pem = identity_.key_pem;
    options.server = std::move(server);
    options.fleet_key = joined->fleet_key;
  }
  options.fingerprint = identity_.fingerprint;
  options.key_pem = identity_.key_pem;
  options.state_folder = settings_.state_folder + "/fleet";
  options.keys_folder = settings_.keys_folder;
  options.inspect = inspect_image;
  options.allow_unsigned = settings_.fleet_allow_unsigned;
  options.head = read_report_head();
  options.clock = now;
  fleet_ = FleetLink::start(std::move(options), *sensor_);
  return {};
}

Result<void> SensorProgram::open_sensor() {
  auto runtime = open_lxd({settings_.lxd_socket, settings_.pool, settings_.profile});
  if (!runtime) return tl::unexpected<Error>(std::move(runtime.error()));
  runtime_ = std::move(*runtime);
  Sensor::Options options;
  options.name = settings_.name;
  options.version = BEACONRY_VERSION;
  options.state_folder = settings_.state_folder;
  options.desired_folder = settings_.desired_folder;
  options.keys_folder = settings_.keys_folder;
  options.broken_after = settings_.broken_after;
  options.clock = now;
  // Beside what services put there: containers see it as /run/instrument, with resolv.conf.
  options.network.run_folder = settings_.run_folder + "/instances";
  options.network.clock = now;
  options.services.sensor = settings_.name;
  options.services.folder = settings_.state_folder + "/services";
  options.services.run_folder = settings_.run_folder;
  options.services.spool_folder = settings_.spool_folder;
  options.services.spool_bytes = settings_.spool_bytes;
  options.services.keys_folder = settings_.keys_folder;
  options.services.broker_user = settings_.broker_user;
  options.services.clock = now;
  auto sending = uplink();
  if (!sending) return tl::unexpected<Error>(std::move(sending.error()));
  options.services.uplink = std::move(*sending);
  auto sensor = Sensor::open(options, *runtime_);
  if (!sensor) return tl::unexpected<Error>(std::move(sensor.error()));
  sensor_ = std::move(*sensor);
  return {};
}

void SensorProgram::run() {
  std::thread signals([this] { handle_signals(); });
  has_run_ = true;
  sensor_->run();
  signals.join();
  log_info("Ending; instruments run on");
}

void SensorProgram::handle_signals() {
  for (;;) {
    pollfd wait{signals_.get(), POLLIN, 0};
    ::poll(&wait, 1, -1);
    signalfd_siginfo signal{};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo == SIGHUP) {
        reload();
        continue;
      }
      sensor_->stop();
      return;
    }
  }
}

void SensorProgram::reload() {
  auto read = SensorSettings::read(arguments_);
  if (!read) {
    log_error("The configuration stays as it was: " + read.error().message());
    return;
  }
  LogOptions log = read->log;
  log.file = settings_.log.file;
  if (auto opened = open_log(log); !opened) {
    log_error("The log stays as it was: " + opened.error().message());
  }
  log_info("The log's level was read again; the rest is at a restart, which stops no instrument");
}

}  // namespace beaconry
