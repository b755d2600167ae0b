#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/typed_line.h"
#include "beaconry_version.h"
#include "config/keys.h"
#include "control/authority.h"
#include "control/control.h"
#include "store/database.h"

namespace beaconry {
namespace {

constexpr int kFailed = 1, kUsage = 2;
constexpr const char* kUsualConfig = "/etc/beaconry/config.yaml";

struct Arguments {
  std::string config;
  bool insecure = false, check = false;
  bool new_fleet_key = false;       // of `init`
  std::vector<std::string> names;   // of `init`
  std::string user, password_file;  // of `init`
  std::string backup;               // where to
};

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

int complain(const Error& error) {
  std::fprintf(stderr, "beaconry-control: %s\n", terminal_safe(error.message()).c_str());
  return error.kind == ErrorKind::usage || error.kind == ErrorKind::malformed ? kUsage : kFailed;
}

Result<ConfigDocument> read_config(const Arguments& arguments) {
  if (!arguments.config.empty()) return ConfigDocument::read(arguments.config);
  std::error_code ignored;
  if (std::filesystem::exists(kUsualConfig, ignored)) return ConfigDocument::read(kUsualConfig);
  return ConfigDocument::parse("", "no file");
}

// The password of a file (its first line), or as it is typed twice.
Result<std::string> first_password(const Arguments& arguments) {
  std::string password;
  if (!arguments.password_file.empty()) {
    constexpr std::size_t kLongestFile = 4096;
    auto text = read_small_file(arguments.password_file, kLongestFile);
    if (!text) return tl::unexpected<Error>(std::move(text.error()));
    password = text->substr(0, text->find_first_of("\r\n"));
  } else {
    auto typed = typed_password(stdout);
    if (!typed) return typed;
    password = std::move(*typed);
  }
  if (auto good = Passwords::check(password); !good) {
    return tl::unexpected<Error>(std::move(good.error()));
  }
  return password;
}

// The first person who may log in: who is named, or asked for at a terminal.
int make_user(const Arguments& arguments, const ConfigValues& values, std::string password) {
  std::string name = arguments.user;
  if (name.empty()) {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
      std::printf("users: none yet; init --user NAME --password-file FILE makes the first\n");
      return 0;
    }
    name = typed_line("Name of the first user, an admin (empty: none now): ", false, stdout)
               .value_or("");
    if (name.empty()) return 0;
  }
  if (password.empty()) {
    auto typed = first_password(arguments);
    if (!typed) return complain(typed.error());
    password = std::move(*typed);
  }
  if (auto made = make_first_user(values, name, password, now()); !made) {
    return complain(made.error());
  }
  std::printf("user '%s': made, an admin\n", terminal_safe(name).c_str());
  return 0;
}

int initialise_state(const Arguments& arguments, const ConfigValues& values) {
  std::string password;
  if (!arguments.password_file.empty()) {  // before anything is made that would be told once
    auto read = first_password(arguments);
    if (!read) return complain(read.error());
    password = std::move(*read);
  }
  const auto made = initialise(values, arguments.names, now(), arguments.new_fleet_key);
  if (!made) return complain(made.error());
  for (const std::string& line : made->words)
    std::printf("%s\n", terminal_safe(line).c_str());
  std::printf("CA fingerprint: SHA256:%s\n", made->ca_fingerprint.c_str());
  if (!made->admin_token.empty()) {
    std::printf("Admin token, shown this once (BEACONRY_TOKEN):\n%s\n", made->admin_token.c_str());
  }
  if (made->users > 0) {
    std::printf("users: there already, %zu\n", made->users);
    return 0;
  }
  return make_user(arguments, values, std::move(password));
}

// Root goes on as the owner of the state folder: files that root made there the service could not
// write to, and a check by root would say nothing of what the service may.
Result<void> leave_root(const ConfigValues& values) {
  const std::string folder = StatePaths::of(values).folder;
  struct stat status {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &status) != 0 || status.st_uid == 0) return {};
  if (::setgroups(0, nullptr) != 0 ||
      ::setresgid(status.st_gid, status.st_gid, status.st_gid) != 0 ||
      ::setresuid(status.st_uid, status.st_uid, status.st_uid) != 0) {
    return fail_errno("become the owner of", folder);
  }
  return {};
}

// SQLite copies consistently beside a running server.
int back_up(const Arguments& arguments, const ConfigValues& values) {
  const StatePaths paths = StatePaths::of(values);
  if (paths.database.empty() || !std::filesystem::exists(paths.database)) {
    return complain(Error{ErrorKind::not_found, "back up", paths.database,
                          "there is no database; persistence.db_path or control_plane.state_dir "
                          "name it"});
  }
  auto database = Database::open(paths.database);
  if (!database) return complain(database.error());
  if (auto done = (*database)->back_up(arguments.backup); !done) return complain(done.error());
  std::printf("%s holds what %s held\n", terminal_safe(arguments.backup).c_str(),
              terminal_safe(paths.database).c_str());
  return 0;
}

void reload(const Arguments& arguments, Control& control) {
  auto file = read_config(arguments);
  if (!file) return log_error(file.error().message() + "; the configuration stays as it was");
  auto said = control.reload(std::move(*file));
  if (!said) return log_error(said.error().message() + "; the configuration stays as it was");
  for (const std::string& line : *said)
    log_info(line);
}

int serve(const Arguments& arguments, ConfigDocument file, const ConfigValues& values) {
  if (auto opened = open_log(log_options(values)); !opened) return complain(opened.error());
  // Signals are read, not handled: nothing happens in the middle of anything.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const Fd reader(signalfd(-1, &signals, SFD_CLOEXEC));
  if (!reader) return complain(Error{ErrorKind::io, "wait for", "signals", "no descriptor left"});

  std::atomic<bool> ended = false;
  std::unique_ptr<Control> control;
  Control::Options options;
  options.file = std::move(file);
  options.insecure = arguments.insecure;
  options.clock = now;
  // Reading a long journal ends on SIGTERM, too.
  options.proceed = [&] {
    sigset_t waiting;
    sigpending(&waiting);
    if (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1) ended = true;
    return !ended;
  };
  auto opened = Control::open(std::move(options));
  if (!opened) {
    if (ended) return 0;
    log_error(opened.error().message());
    return kFailed;
  }
  control = std::move(*opened);
  const auto said = control->start();
  if (!said) {
    log_error(said.error().message());
    return kFailed;
  }
  for (const std::string& line : *said)
    log_info(line);
  for (;;) {
    signalfd_siginfo got{};
    if (::read(reader.get(), &got, sizeof got) != sizeof got) continue;
    if (got.ssi_signo != static_cast<std::uint32_t>(SIGHUP)) break;
    reload(arguments, *control);
  }
  log_info("ending");
  control.reset();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "The server: takes what collectors send, finds beacons in it, keeps them, tells of them."};
  app.name("beaconry-control");
  app.set_version_flag("--version", std::string("beaconry-control " BEACONRY_VERSION) +
                                        (*BEACONRY_REVISION ? " (" BEACONRY_REVISION ")" : ""));
  Arguments arguments;
  app.add_option("-c,--config", arguments.config,
                 std::string("The configuration file, YAML (default: ") + kUsualConfig + ")")
      ->envname("BEACONRY_CONFIG");
  app.add_flag("--insecure", arguments.insecure,
               "Listen beyond this machine without TLS and tokens, if the configuration says so: "
               "whoever reaches the listener may do everything");
  app.add_flag("--check", arguments.check, "Check the configuration and end");
  app.fallthrough();
  CLI::App* init =
      app.add_subcommand("init", "Make CA, certificate, database, admin token and user");
  init->add_option("--name", arguments.names,
                   "A further name or address of this server; may be repeated")
      ->allow_extra_args(false);
  init->add_option("--user", arguments.user, "The first user, an admin; asked for at a terminal");
  init->add_option("--password-file", arguments.password_file,
                   "The file whose first line is the user's password; - reads standard input");
  init->add_flag("--new-fleet-key", arguments.new_fleet_key,
                 "Make another fleet.key in place of one that is lost: every sensor must join "
                 "again");
  CLI::App* backup = app.add_subcommand("backup", "Copy the database, also of a running server");
  backup->add_option("FILE", arguments.backup, "Where to; it must not exist")->required();
  app.require_subcommand(0, 1);
  app.footer(
      "Signals: SIGHUP reads the configuration again, SIGTERM ends.\n"
      "Exit status: 0 done, 1 it could not run, 2 usage or configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  auto file = read_config(arguments);
  if (!file) return complain(file.error());
  std::vector<Error> all;
  auto values = ConfigValues::read(config_schema(), *file, &all);
  if (!values) {
    for (const Error& error : all)
      complain(error);
    return kUsage;
  }
  if (init->parsed()) return initialise_state(arguments, *values);
  if (backup->parsed()) return back_up(arguments, *values);
  if (auto left = leave_root(*values); !left) return complain(left.error());
  if (arguments.check) {
    const auto config = HuntConfig::make(*values);
    if (!config) return complain(config.error());
    if (auto sinks = make_sinks(*values); !sinks) return complain(sinks.error());
    std::printf("%s is good\n", terminal_safe(file->file).c_str());
    return 0;
  }
  return serve(arguments, std::move(*file), *values);
}

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  return beaconry::run(argc, argv);
}
