#include "bus/broker.h"

#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "base/fd.h"
#include "base/find_program.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/broker_process.h"
#include "bus/bus_probe.h"
#include "bus/dynamic_security.h"
#include "bus/messages.h"
#include "bus/topics.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;
namespace security = dynamic_security;

constexpr auto kStartPatience = 8s;                   // until it answers
constexpr auto kAnswerPatience = 1s;                  // of the plugin
constexpr std::chrono::milliseconds kPatience{1000};  // to be let in
constexpr auto kLongestPause = std::chrono::duration_cast<Duration>(10s);
constexpr auto kFirstPause = std::chrono::duration_cast<Duration>(100ms);
constexpr auto kGoodAfter = std::chrono::duration_cast<Duration>(30s);
constexpr std::size_t kMostWaiting = 16 << 20;

std::string first_file(const std::vector<std::string>& paths) {
  const auto found = std::find_if(paths.begin(), paths.end(), [](const std::string& path) {
    return ::access(path.c_str(), R_OK) == 0;
  });
  return found == paths.end() ? std::string{} : *found;
}

std::string find_plugin() {
  constexpr const char* kName = "mosquitto_dynamic_security.so";
  std::vector<std::string> paths;
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu/", "/usr/lib/aarch64-linux-gnu/",
                             "/usr/lib64/", "/usr/lib/", "/usr/local/lib/"})
    paths.push_back(std::string(folder) + kName);
  return first_file(paths);
}

// Mosquitto makes its socket for its own user and group; it is the password that lets in. The
// folder is the broker's, who may have put something else there: a link to what is not its own.
Result<void> open_to_all(const std::string& socket) {
  const Fd place(::open(socket.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!place || ::fstat(place.get(), &status) != 0) return fail_errno("look at", socket);
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorKind::io, "open to instruments", socket, "it is no socket");
  }
  const std::string same = "/proc/self/fd/" + std::to_string(place.get());
  if (::chmod(same.c_str(), 0666) != 0) return fail_errno("open to instruments", socket);
  return {};
}

class MosquittoBroker final : public Broker {
 public:
  MosquittoBroker(BrokerProcess::Options process, BusProbe::Options probe,
                  std::function<Timestamp()> clock, const std::vector<BusAccount>& accounts)
      : options_(std::move(process)), probing_(std::move(probe)), clock_(std::move(clock)) {
    for (const BusAccount& account : accounts)
      accounts_[account.instance] = account;
  }

  Result<void> start_and_wait() {
    if (auto spawned = spawn(); !spawned) return spawned;
    while (!client_) {
      if (auto connected = try_connect(); !connected) return connected;
      if (!client_) std::this_thread::sleep_for(5ms);
    }
    return {};
  }

  Result<void> set_account(const BusAccount& account) override {
    if (auto good = security::check(account); !good) return good;
    const auto known = accounts_.find(account.instance);
    if (known != accounts_.end() && is_same(known->second, account)) return {};
    accounts_[account.instance] = account;
    const std::string token = make_uuid();
    return command(security::replace_command(account, token), token);
  }

  Result<void> remove_account(const std::string& instance) override {
    if (accounts_.erase(instance) == 0) return {};
    const std::string token = make_uuid();
    return command(security::remove_command(instance, token), token);
  }

  int descriptor() const override { return client_ ? client_->descriptor() : -1; }
  bool wants_write() const override { return client_ && client_->wants_write(); }
  bool is_up() const override { return client_ != nullptr; }
  std::string fault() const override { return client_ ? std::string{} : fault_; }
  std::uint64_t restarts() const override { return restarts_; }
  int process() const override { return process_ ? process_->pid() : 0; }

  void work(std::vector<MqttClient::Message>& messages) override {
    if (client_) {
      auto worked = client_->work(kept_);
      if (!worked) lose(worked.error().message());
    }
    take_kept(messages);
    if (process_) {
      if (const std::string end = process_->ended(); !end.empty()) {
        process_.reset();
        lose("the broker ended with " + end);
      }
    }
    if (client_ && !probe_->work(Steady::now())) {
      process_.reset();
      lose("the broker passes no messages on");
    }
    if (client_) {
      if (pause_ > kFirstPause && clock_() - up_since_ > kGoodAfter) pause_ = Duration{0};
      return;
    }
    if (!process_) return restart_if_due();
    if (auto connected = try_connect(); !connected) {
      process_.reset();
      lose(connected.error().message());
    }
  }

  Result<void> publish(const std::string& topic, std::string_view payload) override {
    if (!client_) return fail(ErrorKind::io, "publish to", topic, "the bus is away: " + fault_);
    return client_->publish(topic, payload);
  }

 private:
  static bool is_same(const BusAccount& a, const BusAccount& b) {
    return a.password == b.password && a.may_publish == b.may_publish &&
           a.may_subscribe == b.may_subscribe;
  }

  // The answers of the plugin and the probe's words are ours; the rest is the caller's.
  void take_kept(std::vector<MqttClient::Message>& messages) {
    for (MqttClient::Message& message : kept_) {
      if (message.topic == topics::kProbe) {
        if (probe_) probe_->heard(message.payload, Steady::now());
      } else if (message.topic != security::kAnswers) {
        messages.push_back(std::move(message));
      }
    }
    kept_.clear();
  }

  Result<void> spawn() {
    password_ = make_bus_password();
    std::vector<BusAccount> accounts;
    for (const auto& entry : accounts_)
      accounts.push_back(entry.second);
    auto started = BrokerProcess::start(options_, security::document(accounts, password_));
    if (!started) return tl::unexpected<Error>(std::move(started.error()));
    process_ = std::move(*started);
    started_ = Steady::now();
    return {};
  }

  // An error: this process will not do. No error and no client: not yet.
  Result<void> try_connect() {
    if (const std::string end = process_->ended(); !end.empty()) {
      return fail(ErrorKind::io, "start", options_.program, "it ended with " + end);
    }
    MqttClient::Options options;
    options.socket = options_.socket_folder + "/" + BrokerProcess::kSocketName;
    options.client_id = options.user = security::kPlatform;
    options.password = password_;
    options.patience = std::chrono::ceil<std::chrono::seconds>(kPatience);
    options.most_waiting = kMostWaiting;
    const auto before = Steady::now();
    if (before < next_try_) return {};
    auto client = MqttClient::connect(options);
    if (!client) {
      // One that does not answer must not hold up the loop at every turn.
      const auto after = Steady::now();
      if (after - before > kPatience / 2) next_try_ = after + kPatience;
      if (Steady::now() - started_ < kStartPatience) return {};
      return tl::unexpected<Error>(std::move(client.error()));
    }
    for (const std::string_view filter :
         {topics::kFromAll, topics::kDirectAll, topics::kProbe, security::kAnswers}) {
      auto subscribed = (*client)->subscribe(std::string(filter));
      if (!subscribed) return subscribed;
    }
    if (auto opened = open_to_all(options.socket); !opened) return opened;
    client_ = std::move(*client);
    probing_.password = password_;
    probe_.emplace(probing_, Steady::now());
    up_since_ = clock_();
    fault_.clear();
    return {};
  }

  void lose(const std::string& why) {
    if (fault_ != why) log_warning("bus: " + why);
    fault_ = why;
    client_.reset();
    probe_.reset();
    started_ = Steady::now();  // a broker that still runs has so long to take us again
    due_ = clock_() + pause_;
    pause_ = std::min(std::max(pause_ * 2, kFirstPause), kLongestPause);
  }

  void restart_if_due() {
    const Timestamp now = clock_();
    // A clock that was set back must not keep the bus away.
    if (now < due_ && due_ - now <= kLongestPause) return;
    ++restarts_;
    if (auto spawned = spawn(); !spawned) lose(spawned.error().message());
  }

  // While the broker is away the accounts wait for its next start. An answer can be lost where the
  // queue to us is full, so it is asked twice: commands may be repeated.
  Result<void> command(const std::string& json, const std::string& token) {
    if (!client_) return {};
    std::string why = "the broker does not answer";
    for (int tries = 0; tries < 2; ++tries) {
      auto said = client_->publish(std::string(security::kControl), json);
      if (!said) {
        why = said.error().message();
        break;
      }
      const auto complaint = await_answer(token);
      if (complaint && !*complaint) continue;
      if (complaint && (*complaint)->empty()) return {};
      why = complaint ? "the broker did not take an account: " + **complaint
                      : complaint.error().message();
      break;
    }
    // Starting anew from the accounts puts right whatever it has.
    process_.reset();
    lose(why);
    return {};
  }

  // What the plugin complains about; nothing where no answer came in time.
  Result<std::optional<std::string>> await_answer(const std::string& token) {
    const auto until = Steady::now() + kAnswerPatience;
    for (std::size_t seen = 0;;) {
      for (; seen < kept_.size(); ++seen) {
        if (kept_[seen].topic != security::kAnswers) continue;
        auto answer = security::read_answer(kept_[seen].payload, token);
        if (answer.is_ours) return std::optional(std::move(answer.complaint));
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
      if (left.count() <= 0) return std::optional<std::string>{};
      pollfd ready{client_->descriptor(), POLLIN, 0};
      if (client_->wants_write()) ready.events |= POLLOUT;
      ::poll(&ready, 1, static_cast<int>(left.count()));
      auto worked = client_->work(kept_);
      if (!worked) return tl::unexpected<Error>(std::move(worked.error()));
    }
  }

  BrokerProcess::Options options_;
  BusProbe::Options probing_;
  std::function<Timestamp()> clock_;
  std::map<std::string, BusAccount> accounts_;
  std::string password_;  // the platform's; another one for every start
  std::unique_ptr<BrokerProcess> process_;
  std::unique_ptr<MqttClient> client_;
  std::optional<BusProbe> probe_;  // while there is a connection
  std::vector<MqttClient::Message> kept_;
  std::string fault_ = "it was not started";
  Steady::time_point started_{}, next_try_{};
  Timestamp up_since_{}, due_{};
  Duration pause_{0};
  std::uint64_t restarts_ = 0;
};

Timestamp system_time() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace

Result<std::unique_ptr<Broker>> Broker::start(const Options& options,
                                              const std::vector<BusAccount>& accounts) {
  if (::sodium_init() < 0) return fail(ErrorKind::io, "start", "the bus", "no random numbers");
  // One that is bad must not take the bus from the others.
  std::vector<BusAccount> good;
  for (const BusAccount& account : accounts) {
    if (const auto checked = security::check(account)) {
      good.push_back(account);
    } else {
      log_error("bus: it has no account: " + checked.error().message());
    }
  }
  BrokerProcess::Options process;
  process.program = find_program(options.program.empty() ? "mosquitto" : options.program);
  process.plugin = options.plugin.empty() ? find_plugin() : options.plugin;
  if (process.program.empty() || process.plugin.empty()) {
    return fail(ErrorKind::not_found, "start", "mosquitto",
                process.program.empty() ? "it is not installed: apt-get install mosquitto"
                                        : "its plugin mosquitto_dynamic_security.so is missing");
  }
  auto account = find_account(options.user, "mosquitto");
  if (!account) return tl::unexpected<Error>(std::move(account.error()));
  process.account = *account;
  std::error_code error;
  for (const std::string& folder : {options.state_folder, options.folder}) {
    std::filesystem::create_directories(folder, error);
    if (error) return fail(ErrorKind::io, "make folder", folder, error.message());
  }
  // As /proc shows it, by which a broker of an earlier run is found.
  process.state_folder = std::filesystem::canonical(options.state_folder, error).string();
  if (error) return fail(ErrorKind::io, "open", options.state_folder, error.message());
  process.socket_folder = options.folder;
  process.most_memory = options.most_memory;
  BusProbe::Options probe;
  probe.socket = options.folder + "/" + BrokerProcess::kSocketName;
  probe.user = security::kProbe;
  probe.topic = topics::kProbe;
  probe.every = options.probe_every;
  probe.patience = options.probe_patience;
  auto broker = std::make_unique<MosquittoBroker>(
      process, std::move(probe), options.clock ? options.clock : system_time, good);
  if (auto started = broker->start_and_wait(); !started) {
    return tl::unexpected<Error>(std::move(started.error()));
  }
  return broker;
}

}  // namespace beaconry
