#include "cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/folder.h"

namespace beaconry::cli {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// What the child does between fork() and exec(): nothing that allocates or locks.
[[noreturn]] void become(char* const* arguments, char* const* environment, int in, int out,
                         int err) {
  if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) {
    _exit(126);
  }
  execve(arguments[0], arguments, environment);
  _exit(127);
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const std::string name(entry.substr(0, entry.find('=')));
    if (name != "NO_COLOR" && name != "FORCE_COLOR" && name != "COLUMNS" && added.count(name) == 0)
      all.emplace_back(entry);
  }
  for (const auto& [name, value] : added)
    all.push_back(name + '=' + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Ran beaconry(std::vector<std::string> arguments, const Surroundings& surroundings) {
  // Files, not pipes: nothing has to be read while it runs.
  const TestFolder folder;
  const std::string in = surroundings.input_file.empty() ? folder.write("in", surroundings.input)
                                                         : surroundings.input_file;
  const std::string out =
      surroundings.output.empty() ? folder.path() + "/out" : surroundings.output;
  const std::string err = folder.path() + "/err";
  const int files[] = {open(in.c_str(), O_RDONLY | O_CLOEXEC),
                       open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
                       open(err.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  arguments.insert(arguments.begin(), BEACONRY_PROGRAM);
  auto environment = environment_with(surroundings.environment);
  const auto words = pointers_to(arguments), settings = pointers_to(environment);
  Ran ran;
  const pid_t child = fork();
  if (child == 0) become(words.data(), settings.data(), files[0], files[1], files[2]);
  for (const int file : files)
    close(file);
  int status = 0;
  rusage used{};
  if (child < 0 || wait4(child, &status, 0, &used) != child) {
    ADD_FAILURE() << "the program could not be run";
    return ran;
  }
  if (WIFEXITED(status)) ran.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ran.signal = WTERMSIG(status);
  ran.peak_kilobytes = used.ru_maxrss;
  if (surroundings.output.empty()) ran.out = content_of(out);
  ran.err = content_of(err);
  EXPECT_EQ(ran.signal, 0) << ran.err;
  if (ran.told("Sanitizer") || ran.told("runtime error:")) {
    ADD_FAILURE() << ran.err;
    ran.status = -1;
  }
  return ran;
}

std::vector<nlohmann::json> objects_in(const std::string& ndjson) {
  std::vector<nlohmann::json> objects;
  std::istringstream lines(ndjson);
  for (std::string line; std::getline(lines, line);) {
    auto object = nlohmann::json::parse(line, nullptr, false);
    if (!object.is_object()) {
      ADD_FAILURE() << "no object: " << line;
      continue;
    }
    objects.push_back(std::move(object));
  }
  return objects;
}

Hunted hunt_all(std::vector<std::string> arguments, const Surroundings& surroundings) {
  arguments.insert(arguments.begin(), {"hunt", "--all", "--format", "ndjson"});
  Hunted hunted{beaconry(std::move(arguments), surroundings), {}};
  EXPECT_EQ(hunted.ran.status, 0) << hunted.ran.err;
  hunted.pairs = objects_in(hunted.ran.out);
  return hunted;
}

const nlohmann::json& Hunted::pair(std::string_view identity) const {
  static const nlohmann::json kNone;
  for (const auto& pair : pairs) {
    if (pair.at("identity") == identity) return pair;
  }
  return kNone;
}

std::vector<std::string> Hunted::beacons() const {
  std::vector<std::string> identities;
  for (const auto& pair : pairs) {
    if (pair.at("is_beacon") == true) identities.push_back(pair.at("identity"));
  }
  std::sort(identities.begin(), identities.end());
  return identities;
}

bool is_harmless(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) return false;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return false;
    }
  }
  return true;
}

}  // namespace beaconry::cli
