#include "fleet_storm/server_under_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "base/file.h"

namespace beaconry::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{120};
constexpr std::chrono::milliseconds kBetweenLooks{2};
constexpr std::size_t kMostFile = 64 << 20;

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint64_t kilobytes_of(const std::string& status, const std::string& key) {
  const auto at = status.find(key);
  return at == std::string::npos ? 0 : std::stoull(status.substr(at + key.size())) * 1024;
}

}  // namespace

Result<std::unique_ptr<ServerUnderTest>> ServerUnderTest::make(const std::string& program,
                                                               const std::string& folder) {
  std::unique_ptr<ServerUnderTest> server(new ServerUnderTest(program, folder));
  server->at_.address = *IpAddress::parse("127.0.0.1");
  {
    const auto probe = listen_at(server->at_);  // a free port; free again behind this
    if (!probe) return tl::unexpected<Error>(probe.error());
  }
  // All that is stored shall be counted: no bound on events within reach.
  const std::string config = "control_plane:\n  listen_port: " + std::to_string(server->at_.port) +
                             "\n  state_dir: " + folder +
                             "/state\ninstrument_events:\n  most: 1000000000\n";
  if (auto done = replace_file(folder + "/config.yaml", config); !done) {
    return tl::unexpected<Error>(done.error());
  }
  if (auto done = server->run_init(); !done) return tl::unexpected<Error>(done.error());
  auto ca = read_small_file(folder + "/state/ca.crt", kMostFile);
  if (!ca) return tl::unexpected<Error>(ca.error());
  server->ca_pem_ = std::move(*ca);
  return server;
}

ServerUnderTest::~ServerUnderTest() {
  kill();
}

pid_t ServerUnderTest::launch(const std::string& verb) const {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log = ::open(this->log().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  const std::string config = folder_ + "/config.yaml";
  ::execl(program_.c_str(), program_.c_str(), "-c", config.c_str(),
          verb.empty() ? nullptr : verb.c_str(), nullptr);
  ::_exit(127);
}

Result<void> ServerUnderTest::run_init() {
  int status = 0;
  const pid_t child = launch("init");
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    return fail(ErrorKind::io, "initialise", folder_, text_of(log()));
  }
  return {};
}

Result<void> ServerUnderTest::start() {
  struct stat about {};
  const auto before =
      ::stat(log().c_str(), &about) == 0 ? static_cast<std::size_t>(about.st_size) : 0;
  child_ = launch({});
  if (child_ < 0) return fail_errno("start", program_);
  const auto until = Clock::now() + kPatience;
  while (text_of(log()).find("listening on 127.0.0.1", before) == std::string::npos) {
    if (Clock::now() > until || ::waitpid(child_, nullptr, WNOHANG) == child_) {
      return fail(ErrorKind::io, "start", program_, text_of(log()).substr(before));
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  HttpClient::Options options;
  options.url = "unix:" + folder_ + "/state/control.sock";
  options.timeout = kPatience;
  auto client = HttpClient::make(options);
  if (!client) return tl::unexpected<Error>(client.error());
  client_ = std::move(*client);
  return {};
}

void ServerUnderTest::kill() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  child_ = -1;
}

Result<void> ServerUnderTest::stop() {
  int status = 0;
  ::kill(child_, SIGTERM);
  ::waitpid(child_, &status, 0);
  child_ = -1;
  if (status != 0) return fail(ErrorKind::io, "stop", program_, text_of(log()));
  return {};
}

Result<std::string> ServerUnderTest::ask(const std::string& method, const std::string& target,
                                         const std::string& body, const std::string& type) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  if (!body.empty()) request.headers = {{"content-type", type}};
  auto answer = client_->send(request);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status / 100 != 2) {
    return fail(ErrorKind::io, method, target,
                std::to_string(answer->status) + ' ' + answer->body.substr(0, 500));
  }
  return std::move(answer->body);
}

Result<ServerUnderTest::Timed> ServerUnderTest::time(const std::string& target) {
  HttpRequest request;
  request.target = target;
  Timed timed;
  const auto begin = Clock::now();
  const auto since = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  const auto answer = client_->stream(request, [&](std::string_view piece) {
    if (timed.bytes == 0) timed.first_byte = since();
    timed.bytes += piece.size();
    return true;
  });
  timed.whole = since();
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status != 200) {
    return fail(ErrorKind::io, "GET", target, std::to_string(answer->status) + answer->body);
  }
  return timed;
}

ServerUnderTest::Usage ServerUnderTest::usage() const {
  Usage usage;
  const std::string folder = "/proc/" + std::to_string(child_);
  const std::string status = text_of(folder + "/status");
  usage.resident = kilobytes_of(status, "VmRSS:");
  usage.peak = kilobytes_of(status, "VmHWM:");
  std::istringstream fields(text_of(folder + "/stat"));
  std::string field;
  double ticks = 0;
  for (int i = 1; i <= 15 && fields >> field; ++i) {
    if (i >= 14) ticks += std::stod(field);  // utime, stime; its name has no blanks
  }
  usage.processor_seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return usage;
}

}  // namespace beaconry::bench
