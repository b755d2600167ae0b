#include "program.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "home/home_key.h"

namespace beaconry {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kLongestToken = 4096, kLongestProbes = 4 << 20;
constexpr int kPauseMilliseconds = 50;
constexpr std::chrono::seconds kLookAgain{1};
constexpr auto kLastSending = std::chrono::seconds{3};
constexpr auto kLastSendingIfAway = std::chrono::milliseconds{500};

Timestamp now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<HomeProgram>> HomeProgram::start(HomeArguments arguments,
                                                        HomeProgramSettings settings) {
  std::unique_ptr<HomeProgram> program(new HomeProgram(std::move(arguments), std::move(settings)));
  if (auto opened = program->open(); !opened) {
    return tl::unexpected<Error>(std::move(opened.error()));
  }
  return program;
}

Result<void> HomeProgram::open() {
  started_ = now();
  // Before any thread is there, so that all of them leave the signals to us.
  sigset_t ours;
  sigemptyset(&ours);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&ours, signal);
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = Fd(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return fail_errno("wait for", "signals");

  auto account = find_account(settings_.user, "beaconry-home");
  if (!account) return tl::unexpected<Error>(std::move(account.error()));
  if (auto done = hand_over_folder(settings_.state_folder, *account); !done) return done;
  if (auto done = hand_over_folder(settings_.spool_folder, *account); !done) return done;
  auto identity = EdgeIdentity::open(settings_.state_folder, settings_.name);
  if (!identity) return tl::unexpected<Error>(std::move(identity.error()));
  identity_ = std::move(*identity);
  Spool::Options spool;
  spool.folder = settings_.spool_folder;
  spool.most_bytes = settings_.spool_bytes;
  auto opened = Spool::open(spool);
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  spool_ = std::move(*opened);
  if (const std::string folder = folder_of(settings_.socket); ::access(folder.c_str(), F_OK) != 0) {
    if (auto done = hand_over_folder(folder, *account); !done) return done;
  }
  auto socket = StatusSocket::open(settings_.socket, "home.socket");
  if (!socket) return tl::unexpected<Error>(std::move(socket.error()));
  socket_ = std::move(*socket);
  if (auto done = open_home(); !done) return done;
  if (auto done = give_up_privileges(*account); !done) return done;
  return connect();
}

Result<void> HomeProgram::open_home() {
  if (const std::string warning = address_warning(settings_.home); !warning.empty()) {
    log_warning(warning);
  }
  auto keys = open_home_key(settings_.state_folder);
  if (!keys) return tl::unexpected<Error>(std::move(keys.error()));
  box_public_ = keys->box_public();
  Home::Options options;
  options.settings = settings_.home;
  options.clock = now;
  auto home = Home::open(std::move(options), *keys, *spool_);
  if (!home) return tl::unexpected<Error>(std::move(home.error()));
  home_ = std::move(*home);
  if (!settings_.probes_file.empty()) {
    load_probes(settings_.probes_file, true);
  } else {
    load_probes(settings_.state_folder + "/probes.json", false);
  }
  return {};
}

Result<void> HomeProgram::give_up_privileges(const Account& account) {
  // Files that were made just now. Links are not followed.
  for (const std::string& folder : {settings_.state_folder, settings_.spool_folder}) {
    if (auto done = hand_over_folder(folder, account); !done) return done;
  }
  if (!settings_.log.file.empty() && ::geteuid() == 0 &&
      ::lchown(settings_.log.file.c_str(), account.uid, account.gid) != 0) {
    return fail_errno("give to " + account.name, settings_.log.file);
  }
  // Sockets, ring, link and table are open: none of them needs a capability any more.
  const Restrictions restrictions{account, {}, {SystemCallGroup::basic, SystemCallGroup::network}};
  if (auto done = restrict_process(restrictions); !done) return done;
  log_info("Running as uid " + std::to_string(::getuid()) + " with no capability");
  return {};
}

Result<bool> HomeProgram::find_server(HttpClient::Options& server, std::string& token) {
  server.url = settings_.server_url;
  if (auto joined = joined_server(settings_.state_folder)) {
    server.url = joined->url;
    server.ca_pem = joined->ca_pem;
  } else if (joined.error().kind != ErrorKind::not_found) {
    return tl::unexpected<Error>(joined.error());
  }
  server.certificate_pem = identity_.certificate_pem;
  server.key_pem = identity_.key_pem;
  if (!settings_.token_file.empty()) {
    auto text = read_small_file(settings_.token_file, kLongestToken);
    if (!text) return tl::unexpected<Error>(std::move(text.error()));
    token = trim(*text);
  }
  return !server.url.empty();
}

Result<void> HomeProgram::connect() {
  sync_.reset();
  sender_.reset();  // one at a time takes from the spool
  Sender::Options options;
  const auto has_server = find_server(options.server, options.token);
  if (!has_server) return tl::unexpected<Error>(has_server.error());
  if (!*has_server) {
    server_.clear();
    log_warning("No server was joined and home.server is not set: observations stay in the spool");
    return {};
  }
  options.content_kind = ContentKind::observations;
  options.refused_folder = settings_.state_folder + "/refused";
  options.edge = identity_.fingerprint;
  options.edge_name = identity_.name;
  auto sender = Sender::start(options, *spool_, now);
  if (!sender) return tl::unexpected<Error>(std::move(sender.error()));
  sender_ = std::move(*sender);
  server_ = options.server.url;
  log_info("Sending to " + server_ + " as '" + identity_.name + "' (" +
           identity_.fingerprint.substr(0, 16) + "...)");
  if (!settings_.probes_file.empty()) return {};
  ProbeSync::Options probes;
  probes.server = options.server;
  probes.token = options.token;
  probes.box_public = box_public_;
  probes.zone = settings_.home.zone;
  probes.addresses = settings_.home.addresses;
  probes.program_version = BEACONRY_VERSION;
  probes.file = settings_.state_folder + "/probes.json";
  probes.clock = now;
  auto sync = ProbeSync::start(std::move(probes));
  if (!sync) return tl::unexpected<Error>(std::move(sync.error()));
  sync_ = std::move(*sync);
  return {};
}

void HomeProgram::load_probes(const std::string& file, bool must) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    if (must) log_error("Home knows no probe: there is no " + file);
    return;
  }
  probes_changed_ = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  const auto text = read_small_file(file, kLongestProbes);
  auto list =
      text ? parse_probe_list(*text) : Result<ProbeList>(tl::unexpected<Error>(text.error()));
  if (!list) {
    log_error("The probes of " + file + " are not taken: " + list.error().message());
    return;
  }
  probes_from_ = file;
  take_probes(std::move(*list));
}

void HomeProgram::take_probes(ProbeList list) {
  const std::size_t count = list.probes.size();
  if (auto done = home_->set_probes(std::move(list.probes)); !done) {
    log_error("The list of probes is not taken: " + done.error().message());
    return;
  }
  for (const std::string& why : list.refused)
    log_error("Not taken of the list of probes: " + why);
  probes_refused_ = list.refused.size();
  probes_version_ = list.version;
  controls_ = std::move(list.controls);
  std::erase_if(injected_, [this](const auto& entry) {
    return std::none_of(controls_.begin(), controls_.end(), [&](const ProbeList::Control& one) {
      return one.probe.value == entry.first;
    });
  });
  log_info("Home knows " + with_thousands(count) + (count == 1 ? " probe" : " probes"));
}

void HomeProgram::look_at_probes_file() {
  if (settings_.probes_file.empty() || now() - looked_ < kLookAgain) return;
  looked_ = now();
  struct stat status {};
  if (::stat(settings_.probes_file.c_str(), &status) != 0) return;
  const std::int64_t changed = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  if (changed != probes_changed_) load_probes(settings_.probes_file, true);
}

void HomeProgram::inject_controls() {
  const Timestamp current = now();
  for (const ProbeList::Control& control : controls_) {
    Timestamp& last = injected_[control.probe.value];
    if (current - last < control.every && current >= last) continue;
    last = current;
    if (auto done = home_->inject_control(control.probe); !done) {
      log_error(done.error().message());
    }
  }
}

void HomeProgram::run() {
  while (!stopping_) {
    std::vector<pollfd> waits{{signals_.get(), POLLIN, 0}, {socket_->descriptor(), POLLIN, 0}};
    if (sync_) waits.push_back({sync_->descriptor(), POLLIN, 0});
    for (const int descriptor : home_->descriptors())
      waits.push_back({descriptor, POLLIN, 0});
    ::poll(waits.data(), waits.size(), kPauseMilliseconds);
    if ((waits[0].revents & POLLIN) != 0) handle_signals();
    if ((waits[1].revents & POLLIN) != 0) socket_->answer([this] { return status(); });
    if (sync_) {
      if (auto list = sync_->take()) {
        probes_from_ = server_;
        take_probes(std::move(*list));
      }
    }
    look_at_probes_file();
    inject_controls();
    home_->work();
    if (home_->take_appended() && sender_) sender_->wake();
  }
  finish();
}

void HomeProgram::finish() {
  if (auto done = home_->flush(); !done) log_error(done.error().message());
  if (spool_->next() > 1) {
    if (auto done = spool_->sync(spool_->next() - 1); !done) log_error(done.error().message());
  }
  sync_.reset();
  if (sender_) sender_->wake();
  const auto begun = Steady::now();
  while (spool_->first() != spool_->next() && Steady::now() < begun + kLastSending) {
    const Sender::Status status = sender_ ? sender_->status() : Sender::Status{};
    const bool away = !sender_ || (!status.connected && !status.last_error.empty());
    if (away && Steady::now() >= begun + kLastSendingIfAway) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{kPauseMilliseconds});
  }
  if (const std::uint64_t left = spool_->next() - spool_->first(); left != 0) {
    log_warning(std::to_string(left) + " batches wait in " + settings_.spool_folder +
                " for the next start");
  }
}

void HomeProgram::handle_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGHUP) {
      reload();
    } else {
      stopping_ = true;
    }
  }
}

void HomeProgram::reload() {
  auto read = HomeProgramSettings::read(arguments_);
  if (!read) {
    log_error("The configuration stays as it was: " + read.error().message());
    return;
  }
  LogOptions log = read->log;
  log.file = settings_.log.file;
  if (auto opened = open_log(log); !opened) {
    log_error("The log stays as it was: " + opened.error().message());
  }
  settings_.server_url = read->server_url;
  settings_.token_file = read->token_file;
  settings_.home.addresses = read->home.addresses;
  if (read->probes_file != settings_.probes_file) {
    log_warning("home.probes is another file now: it is read at a restart");
  } else if (!settings_.probes_file.empty()) {
    load_probes(settings_.probes_file, true);
  }
  if (auto connected = connect(); !connected) {
    log_error("Nothing is sent: " + connected.error().message());
  }
  log_info(
      "The server and the token were read again, and the server is told of the addresses; the rest "
      "is at a restart");
}

std::string HomeProgram::status() const {
  using Json = nlohmann::ordered_json;
  Json document;
  document["version"] = BEACONRY_VERSION;
  document["name"] = utf8_valid(identity_.name);
  document["edge"] = identity_.fingerprint;
  document["started"] = to_rfc3339(started_);
  document["uptime_seconds"] = to_seconds(now() - started_);
  document.update(Json::parse(home_->status_json(), nullptr, false));
  document["probes_from"] = probes_from_;
  document["probes_version"] = probes_version_;
  document["probes_refused"] = probes_refused_;
  document["controls"] = controls_.size();
  document["spool"] = {{"folder", settings_.spool_folder},
                       {"waiting", spool_->next() - spool_->first()},
                       {"bytes", spool_->bytes()},
                       {"dropped", spool_->dropped()},
                       {"damaged", spool_->damaged()}};
  Json& server = document["server"] = {{"url", server_}};
  if (sender_) {
    const Sender::Status status = sender_->status();
    server["connected"] = status.connected;
    server["last_error"] = utf8_valid(status.last_error);
    server["last_success"] = nullptr;
    if (status.last_success != Timestamp{}) {
      server["last_success"] = to_rfc3339(status.last_success);
    }
    server["sent"] = status.sent;
    server["refused"] = status.refused;
    server["retries"] = status.retries;
    server["clock_skew_seconds"] = to_seconds(status.clock_skew);
  }
  if (sync_) {
    const ProbeSync::Status status = sync_->status();
    server["probes"] = {{"connected", status.connected},
                        {"last_error", utf8_valid(status.last_error)},
                        {"failures", status.failures}};
  }
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace beaconry
