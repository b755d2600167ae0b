#include "collector.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "beaconry_version.h"

namespace beaconry {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kLongestToken = 4096;
constexpr auto kLastSending = std::chrono::seconds{3};
constexpr auto kLastSendingIfAway = std::chrono::milliseconds{500};
constexpr auto kLastSendingPause = std::chrono::milliseconds{50};

Timestamp now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<Collector>> Collector::start(CollectorArguments arguments,
                                                    CollectorSettings settings) {
  std::unique_ptr<Collector> collector(new Collector(std::move(arguments), std::move(settings)));
  if (auto opened = collector->open(); !opened) {
    return tl::unexpected<Error>(std::move(opened.error()));
  }
  return collector;
}

Result<void> Collector::open() {
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

  auto account = find_account(settings_.user, "beaconry-collector");
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
  exporter_ = std::make_unique<Exporter>(*spool_, settings_.allow, settings_.most_events,
                                         [this] { return counters(); });
  exporter_->set_time(now());

  if (const std::string folder = folder_of(settings_.socket); ::access(folder.c_str(), F_OK) != 0) {
    if (auto done = hand_over_folder(folder, *account); !done) return done;
  }
  auto socket = StatusSocket::open(settings_.socket, "data_plane.socket");
  if (!socket) return tl::unexpected<Error>(std::move(socket.error()));
  socket_ = std::move(*socket);

  if (auto done = read_token(); !done) return done;
  auto source = open_source(settings_, *spool_, *exporter_);
  if (!source) return tl::unexpected<Error>(std::move(source.error()));
  source_ = std::move(*source);
  if (auto done = give_up_privileges(*account); !done) return done;
  return start_sender();
}

Result<void> Collector::give_up_privileges(const Account& account) {
  // Files that were made just now. Links are not followed: who may write to the log's folder must
  // not choose what root gives away.
  for (const std::string& folder : {settings_.state_folder, settings_.spool_folder}) {
    if (auto done = hand_over_folder(folder, account); !done) return done;
  }
  if (!settings_.log.file.empty() && ::geteuid() == 0 &&
      ::lchown(settings_.log.file.c_str(), account.uid, account.gid) != 0) {
    return fail_errno("give to " + account.name, settings_.log.file);
  }
  Restrictions restrictions{
      account, source_->capabilities(), {SystemCallGroup::basic, SystemCallGroup::network}};
  if (!restrictions.capabilities.empty()) restrictions.allowed.push_back(SystemCallGroup::bpf);
  if (auto done = restrict_process(restrictions); !done) return done;
  log_info(
      "Running as uid " + std::to_string(::getuid()) + " with " +
      (restrictions.capabilities.empty() ? "no capability" : "CAP_BPF and CAP_NET_ADMIN alone"));
  return {};
}

Result<void> Collector::read_token() {
  if (settings_.token_file.empty()) {
    token_.clear();
    return {};
  }
  auto text = read_small_file(settings_.token_file, kLongestToken);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  token_ = trim(*text);
  return {};
}

Result<void> Collector::start_sender() {
  Sender::Options options;
  options.server.url = settings_.server_url;
  // A server that was joined wins over the file: a joined edge is known there.
  if (const auto joined = joined_server(settings_.state_folder)) {
    options.server.url = joined->url;
    options.server.ca_pem = joined->ca_pem;
  } else if (joined.error().kind != ErrorKind::not_found) {
    return tl::unexpected<Error>(joined.error());
  }
  options.server.certificate_pem = identity_.certificate_pem;
  options.server.key_pem = identity_.key_pem;
  options.server.connect_timeout = settings_.connect_timeout;
  options.token = token_;
  options.refused_folder = settings_.state_folder + "/refused";
  options.edge = identity_.fingerprint;
  options.edge_name = identity_.name;
  sender_.reset();  // one at a time takes from the spool
  auto sender = Sender::start(options, *spool_, now);
  if (!sender) return tl::unexpected<Error>(std::move(sender.error()));
  sender_ = std::move(*sender);
  server_ = options.server.url;
  log_info("Sending to " + server_ + " as '" + identity_.name + "' (" +
           identity_.fingerprint.substr(0, 16) + "...)");
  return {};
}

void Collector::run() {
  auto next_drain = Steady::now();
  auto next_export = next_drain + settings_.export_interval;
  while (!stopping_) {
    const auto until = std::min<Steady::time_point>(next_drain, next_export) - Steady::now();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until).count();
    std::array<pollfd, 2> waiting{pollfd{signals_.get(), POLLIN, 0},
                                  pollfd{socket_->descriptor(), POLLIN, 0}};
    const int ready = ::poll(waiting.data(), waiting.size(),
                             static_cast<int>(std::clamp<std::int64_t>(wait, 0, 60'000)));
    if (ready > 0 && waiting[0].revents != 0) {
      const Duration before = settings_.export_interval;
      handle_signals();
      if (settings_.export_interval != before) {
        next_export = Steady::now() + settings_.export_interval;
      }
    }
    if (ready > 0 && waiting[1].revents != 0) socket_->answer([this] { return status(); });
    if (Steady::now() >= next_drain) {
      exporter_->set_time(now());
      source_->drain(now());
      next_drain = Steady::now() + source_->pause();
      if (exporter_->is_full()) export_now();
    }
    if (Steady::now() >= next_export) {
      source_->report(now());
      export_now();
      log_counters();
      next_export = std::max(next_export + settings_.export_interval, Steady::now());
    }
  }
  finish();
}

void Collector::export_now() {
  exporter_->cut_and_log(now());
  if (sender_) sender_->wake();
}

void Collector::finish() {
  log_info("Stopping: the flows end here, and what waits is sent for up to 3 s");
  exporter_->set_time(now());
  source_->finish(now());
  export_now();
  const auto begun = Steady::now();
  while (spool_->first() < spool_->next() && Steady::now() < begun + kLastSending) {
    // A server that did not answer before does not get all of the time.
    const Sender::Status status = sender_ ? sender_->status() : Sender::Status{};
    const bool away = !sender_ || (!status.connected && !status.last_error.empty());
    if (away && Steady::now() >= begun + kLastSendingIfAway) break;
    std::this_thread::sleep_for(kLastSendingPause);
  }
  if (const std::uint64_t left = spool_->next() - spool_->first(); left != 0) {
    log_warning(std::to_string(left) + " batches wait in " + settings_.spool_folder +
                " for the next start");
  }
  log_counters();
}

void Collector::handle_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGHUP) {
      reload();
    } else {
      stopping_ = true;
    }
  }
}

void Collector::reload() {
  auto read = CollectorSettings::read(arguments_);
  if (!read) {
    log_error("The configuration stays as it was: " + read.error().message());
    return;
  }
  if (const std::string keys = needs_restart(settings_, *read); !keys.empty()) {
    log_warning("Changed, but taken up only by a restart: " + keys);
  }
  exporter_->set_allow_list(read->allow);
  settings_.export_interval = read->export_interval;
  LogOptions log = read->log;
  log.file = settings_.log.file;
  if (auto opened = open_log(log); !opened) {
    log_error("The log stays as it was: " + opened.error().message());
  }
  settings_.server_url = read->server_url;
  settings_.connect_timeout = read->connect_timeout;
  settings_.token_file = read->token_file;
  if (auto token = read_token(); !token) {
    log_error("The token stays as it was: " + token.error().message());
  }
  if (auto started = start_sender(); !started) {
    log_error("Nothing is sent: " + started.error().message());
  }
  log_info("The configuration was read again");
}

std::vector<EdgeCounter> Collector::counters() const {
  std::vector<EdgeCounter> all;
  if (source_) all = source_->counters();
  const Exporter::Counters& exported = exporter_->counters();
  all.push_back({"events", "", exported.events});
  all.push_back({"events_allow_listed", "", exported.allow_listed});
  all.push_back({"events_lost", "", exported.events_lost});
  all.push_back({"batches", "", exported.batches});
  all.push_back({"batches_dropped", "", spool_->dropped()});
  all.push_back({"batches_damaged", "", spool_->damaged()});
  return all;
}

std::string Collector::status() const {
  nlohmann::ordered_json document;
  document["version"] = BEACONRY_VERSION;
  document["name"] = identity_.name;
  document["edge"] = identity_.fingerprint;
  document["mode"] = source_->mode();
  document["started"] = to_rfc3339(started_);
  document["uptime_seconds"] = to_seconds(now() - started_);
  auto& places = document["counters"] = nlohmann::ordered_json::object();
  for (const EdgeCounter& counter : counters()) {
    places[counter.place.empty() ? "collector" : utf8_valid(counter.place)][counter.name] =
        counter.value;
  }
  document["spool"] = {{"folder", settings_.spool_folder},
                       {"waiting", spool_->next() - spool_->first()},
                       {"bytes", spool_->bytes()},
                       {"dropped", spool_->dropped()},
                       {"damaged", spool_->damaged()}};
  auto& server = document["server"] = {{"url", server_}};
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
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

void Collector::log_counters() const {
  std::map<std::string, std::string> lines;
  for (const EdgeCounter& counter : counters()) {
    // Zeros are left out, but for what everybody looks for.
    if (counter.value == 0 && counter.name != "packets") continue;
    std::string& line = lines[counter.place.empty() ? "collector" : counter.place];
    line += (line.empty() ? "" : " ") + counter.name + '=' + std::to_string(counter.value);
  }
  for (const auto& [place, line] : lines)
    log_info("Counters of " + place + ": " + line);
}

}  // namespace beaconry
