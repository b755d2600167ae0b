#include "image/host_files.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <set>

#include "base/fd.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostOutput = 16 << 20, kMostArguments = 500;
// Loaders of glibc, for libraries, which name none.
constexpr const char* kLoaders[] = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"};

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// What dpkg may know a file as: since /bin, /lib and /sbin are links into /usr, either.
std::vector<std::string> other_names(const std::string& file) {
  std::vector<std::string> names{file};
  std::error_code error;
  const std::string real = std::filesystem::canonical(file, error).string();
  if (!error && real != file) names.push_back(real);
  for (std::size_t i = 0, count = names.size(); i < count; ++i) {
    const std::string name = names[i];
    if (name.starts_with("/usr/")) {
      names.push_back(name.substr(4));
    } else {
      names.push_back("/usr" + name);
    }
  }
  return names;
}

}  // namespace

Result<HostOutput> run_host_program(const std::vector<std::string>& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("run", command.front());
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));  // execve's own type
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::string locale = "LC_ALL=C";
  std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
  pid_t child = 0;
  const int spawned = ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(),
                                     environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) {
    errno = spawned;
    return fail_errno("run", command.front());
  }
  writing.reset();
  HostOutput result;
  std::array<char, 64 << 10> block;
  bool too_long = false;
  for (;;) {
    const ssize_t got = ::read(reading.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    too_long = too_long || result.output.size() > kMostOutput;
    if (!too_long) result.output.append(block.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (too_long) return fail(ErrorKind::limit, "run", command.front(), "over 16 MiB of output");
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

Result<std::vector<std::string>> needed_libraries(const std::string& file, const ElfFile& elf) {
  std::string loader = elf.interpreter;
  for (const char* each : kLoaders) {
    if (loader.empty() && exists(each)) loader = each;
  }
  if (loader.empty() || !exists(loader)) {
    return fail(ErrorKind::not_found, "pack", file,
                "it is loaded by " + (loader.empty() ? "an unknown loader" : loader) +
                    ", which is not on this machine: link it statically, or give an Alpine root "
                    "(--base) to a program made for musl");
  }
  std::error_code error;
  const std::string whole = std::filesystem::absolute(file, error).string();
  // What ldd does.
  const auto listed = run_host_program({loader, "--list", whole});
  if (!listed) return tl::unexpected<Error>(listed.error());
  if (listed->status != 0) {
    return fail(ErrorKind::malformed, "pack", file,
                "its loader cannot list what it needs (exit status " +
                    std::to_string(listed->status) + ")");
  }
  // "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)", "\t/lib64/ld-... (0x...)"
  std::set<std::string> paths{loader};
  for (const std::string_view line : split(listed->output, '\n')) {
    const auto arrow = line.find(" => ");
    if (line.find("not found") != std::string_view::npos) {
      return fail(ErrorKind::not_found, "pack", file,
                  "it needs " + terminal_safe(trim(line.substr(0, arrow))) +
                      ", which is not on this machine");
    }
    std::string_view path = trim(arrow == std::string_view::npos ? line : line.substr(arrow + 4));
    path = path.substr(0, path.find(" (0x"));
    if (path.starts_with('/') && path != whole) paths.emplace(path);
  }
  return std::vector<std::string>(paths.begin(), paths.end());
}

Result<std::map<std::string, DebianPackage>> packages_of(const std::vector<std::string>& files) {
  std::map<std::string, DebianPackage> result;
  if (!exists("/usr/bin/dpkg-query") || files.empty()) return result;
  std::multimap<std::string, std::string> asked;  // the name that dpkg may know -> the file
  for (const std::string& file : files) {
    for (const std::string& name : other_names(file))
      asked.emplace(name, file);
  }
  std::map<std::string, std::string> owner;  // file -> package
  std::vector<std::string> command;
  const auto ask = [&]() -> Result<void> {
    const auto answer = run_host_program(command);  // its status is 1 where some are of none
    if (!answer) return tl::unexpected<Error>(answer.error());
    for (const std::string_view line : split(answer->output, '\n')) {
      const auto colon = line.find(": ");
      if (colon == std::string_view::npos || line.starts_with("diversion ")) continue;
      const std::string_view packages = line.substr(0, colon);
      const auto [from, to] = asked.equal_range(std::string(line.substr(colon + 2)));
      for (auto file = from; file != to; ++file)
        owner.emplace(file->second, packages.substr(0, packages.find(", ")));
    }
    return {};
  };
  for (auto at = asked.begin(); at != asked.end();) {
    command = {"/usr/bin/dpkg-query", "-S", "--"};
    for (; at != asked.end() && command.size() < kMostArguments;
         at = asked.upper_bound(command.back()))
      command.push_back(at->first);
    if (auto done = ask(); !done) return tl::unexpected<Error>(std::move(done.error()));
  }
  std::map<std::string, DebianPackage> known;
  command = {"/usr/bin/dpkg-query", "-W", "-f",
             "${binary:Package}\t${Package}\t${Version}\t"
             "${Architecture}\n",
             "--"};
  for (const auto& [file, package] : owner) {
    if (known.try_emplace(package).second) command.push_back(package);
  }
  if (known.empty()) return result;
  const auto answer = run_host_program(command);
  if (!answer) return tl::unexpected<Error>(answer.error());
  for (const std::string_view line : split(answer->output, '\n')) {
    const auto parts = split(line, '\t');
    if (parts.size() != 4) continue;
    const DebianPackage package{std::string(parts[1]), std::string(parts[2]),
                                std::string(parts[3])};
    for (const std::string_view name : {parts[0], parts[1]}) {
      if (const auto at = known.find(std::string(name)); at != known.end()) at->second = package;
    }
  }
  for (const auto& [file, package] : owner) {
    if (!known[package].name.empty()) result[file] = known[package];
  }
  return result;
}

Result<std::vector<std::string>> files_of_package(const std::string& package) {
  if (!exists("/usr/bin/dpkg-query")) {
    return fail(ErrorKind::unsupported, "pack package", package,
                "this machine has no dpkg; name its files in 'files'");
  }
  const auto listed = run_host_program({"/usr/bin/dpkg-query", "-L", "--", package});
  if (!listed) return tl::unexpected<Error>(listed.error());
  if (listed->status != 0) {
    return fail(ErrorKind::not_found, "pack package", terminal_safe(package),
                "it is not installed here: apt-get install " + terminal_safe(package));
  }
  std::vector<std::string> files;
  for (const std::string_view line : split(listed->output, '\n')) {
    bool wanted = line.starts_with('/') && line != "/.";
    for (const std::string_view left_out :
         {"/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/lintian",
          "/usr/share/bug", "/usr/share/locale"})
      wanted = wanted && line != left_out && !line.starts_with(std::string(left_out) + '/');
    if (wanted) files.emplace_back(line);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace beaconry
