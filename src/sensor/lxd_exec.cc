#include "sensor/lxd_exec.h"

#include <dirent.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

namespace beaconry::lxd {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLook{10};
constexpr std::size_t kMostOutput = 1 << 20;
constexpr std::size_t kMostEnvironment = 256 << 10;
constexpr std::size_t kMostCommand = 64 << 10;
const std::string kMark = "BEACONRY_EXEC";

std::string random_word() {
  unsigned char bytes[12] = {};
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return {};
  std::string word;
  for (const unsigned char byte : bytes) {
    word += "0123456789abcdef"[byte >> 4];
    word += "0123456789abcdef"[byte & 15];
  }
  return word;
}

bool has_mark(const std::string& process, const std::string& mark) {
  const auto environment = read_small_file("/proc/" + process + "/environ", kMostEnvironment);
  if (!environment) return false;
  const auto entries = split(*environment, '\0');
  return std::find(entries.begin(), entries.end(), mark) != entries.end();
}

// By descriptors, so that none that got a dead one's number is hit.
void kill_all(const std::string& mark) {
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
  if (!processes) return;
  while (const dirent* const entry = ::readdir(processes.get())) {
    const std::string name = entry->d_name;
    const auto id = parse_unsigned(name);
    if (!id || !has_mark(name, mark)) continue;
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(*id), 0)));
    if (process && has_mark(name, mark))
      ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  }
}

// Part of a recorded output; nothing of one that is not there or is shorter.
std::string part_of(const Connection& lxd, const std::string& file, std::size_t from,
                    std::size_t bytes) {
  HttpRequest request = make_request("GET", file);
  request.headers.emplace_back(
      "range", "bytes=" + std::to_string(from) + "-" + std::to_string(from + bytes - 1));
  auto got = lxd.raw(request, kLook);
  if (!got) return {};
  if (got->status != 206 && got->body.size() > from + bytes) got->body.resize(from + bytes);
  return got->status == 206 ? std::move(got->body)
                            : got->body.substr(std::min(from, got->body.size()));
}

struct Outputs {
  std::string output, errors;
  std::vector<std::string> both() const { return {output, errors}; }
};

// LXD names them when the command has ended; they begin with the operation's id.
Outputs recorded(const std::string& name, const std::string& operation) {
  const std::string id = operation.substr(operation.rfind('/') + 1);
  const std::string file = "/1.0/instances/" + name + "/logs/exec_" + id;
  return {file + ".stdout", file + ".stderr"};
}

}  // namespace

Result<Runtime::Executed> execute(const Connection& lxd, const Containers& containers,
                                  const std::string& name, const std::vector<std::string>& command,
                                  unsigned most_seconds) {
  using Executed = Result<Runtime::Executed>;
  const auto no = [&](Error error) {
    return named(Executed(tl::unexpected(std::move(error))), "execute in", name);
  };
  std::size_t length = 0;
  for (const std::string& word : command)
    length += word.size();
  if (command.empty() || length > kMostCommand)
    return no({ErrorKind::usage, "", "", "name a command, of at most 64 KiB"});
  const auto one = containers.one(name);
  if (!one) return no(one.error());
  if (text_at(*one, "status") != "Running")
    return no({ErrorKind::usage, "", "", "it is not running"});
  const std::string word = random_word();
  if (word.empty()) return no({ErrorKind::io, "", "", "the kernel gives no random bytes"});

  const auto until = Clock::now() + seconds{most_seconds};
  const auto operation = lxd.start("POST", "/1.0/instances/" + name + "/exec",
                                   {{"command", command},
                                    {"environment", {{kMark, word}}},
                                    {"interactive", false},
                                    {"record-output", true},
                                    {"wait-for-websocket", false}},
                                   kLook);
  if (!operation) return no(operation.error());
  Outputs files = recorded(name, *operation);
  const auto remove_files = [&] {
    for (const std::string& file : files.both())
      (void)lxd.raw(make_request("DELETE", file), kLook).has_value();
  };

  bool late = false, long_winded = false;
  Json done;
  for (milliseconds pause{10};; pause = std::min(pause * 2, milliseconds{200})) {
    auto state = lxd.get(*operation, kLook);
    if (!state && state.error().kind == ErrorKind::not_found)
      return no({ErrorKind::io, "", "", "LXD has forgotten the command; was it restarted?"});
    if (!state) {
      kill_all(kMark + "=" + word);
      return no(state.error());
    }
    done = std::move(*state);
    if (number_at(done, "status_code") >= 200) break;
    if (late && Clock::now() >= until + kLook) break;  // it cannot even be killed
    late = late || Clock::now() >= until;
    for (const std::string& file : files.both())
      long_winded = long_winded || !part_of(lxd, file, kMostOutput, 1).empty();
    if (late || long_winded) kill_all(kMark + "=" + word);
    std::this_thread::sleep_for(pause);
  }

  const Json& result = object_at(done, "metadata");
  const Json& told = object_at(result, "output");
  if (const std::string file = text_at(told, "1"); file.starts_with('/')) files.output = file;
  if (const std::string file = text_at(told, "2"); file.starts_with('/')) files.errors = file;
  Runtime::Executed out;
  out.status = static_cast<int>(number_at(result, "return"));
  out.output = part_of(lxd, files.output, 0, kMostOutput);
  out.errors = part_of(lxd, files.errors, 0, kMostOutput);
  remove_files();
  if (late)
    return no({ErrorKind::limit, "", "",
               command.front() + " took longer than " + std::to_string(most_seconds) +
                   " s and was killed"});
  if (const std::string why = text_at(done, "err"); number_at(done, "status_code") >= 400) {
    // LXD takes a shell's words for its own: 126 and 127 come as errors.
    const bool not_found = why == "Command not found", not_run = why == "Command not executable";
    if (!not_found && !not_run) return no({ErrorKind::io, "", "", terminal_safe(why)});
    out.status = not_found ? 127 : 126;
    if (out.errors.empty()) out.errors = command.front() + ": " + why + "\n";
  }
  if (long_winded)
    out.errors += "\n[killed: it wrote more than 1 MiB, of which this is the start]\n";
  return out;
}

}  // namespace beaconry::lxd
