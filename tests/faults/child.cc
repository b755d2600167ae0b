#include "faults/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace beaconry::faults {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

unsigned number_in(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

}  // namespace

Child::Child(std::vector<std::string> arguments, const std::string& log,
             const std::map<std::string, std::string>& environment) {
  std::vector<std::string> settings;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string entry(*at);
    if (environment.count(entry.substr(0, entry.find('='))) == 0) settings.push_back(entry);
  }
  for (const auto& [name, value] : environment)
    settings.push_back(name + '=' + value);
  const auto words = pointers_to(arguments), variables = pointers_to(settings);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(out, STDERR_FILENO) < 0) {
      ::_exit(126);
    }
    ::execve(words[0], words.data(), variables.data());
    ::_exit(127);
  }
  ::close(out);
  if (pid_ < 0) ADD_FAILURE() << "no process could be made";
}

bool Child::is_running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

int Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void Child::crash() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

int Child::end() {
  if (pid_ <= 0) return -1;
  ::kill(pid_, SIGTERM);
  return wait();
}

Folder::Folder() {
  path_ = (std::filesystem::temp_directory_path() / "beaconry-faults-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) path_ = "/nonexistent";
  ::chmod(path_.c_str(), 0755);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string end_of(const std::string& path) {
  constexpr std::size_t kShown = 6000;
  const std::string text = content_of(path);
  return "\n--- the end of " + path + ":\n" +
         (text.size() > kShown ? text.substr(text.size() - kShown) : text);
}

unsigned crash_points() {
  return number_in("BEACONRY_CRASH_POINTS", 20);
}

unsigned crash_seed() {
  return number_in("BEACONRY_CRASH_SEED", 1);
}

}  // namespace beaconry::faults
