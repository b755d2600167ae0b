#pragma once
// A program of this project, run as it is shipped, to be killed at will.
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace beaconry::faults {

class Child {
 public:
  // Output and errors are appended to `log`. It dies with the test.
  Child(std::vector<std::string> arguments, const std::string& log,
        const std::map<std::string, std::string>& environment = {});
  ~Child() { crash(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool is_running();
  void crash();  // kill -9
  int end();     // SIGTERM; its exit status, or -1 where a signal ended it

 private:
  int wait();

  pid_t pid_ = -1;
};

// A folder for one test: everybody may look into it, as a collector gives up root. Gone with the
// test.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string content_of(const std::string& path);
void write_file(const std::string& path, std::string_view content);
// The last lines, for a failure's message.
std::string end_of(const std::string& path);

// Crash points of a test, from BEACONRY_CRASH_POINTS (20), and where their randomness begins, from
// BEACONRY_CRASH_SEED (1).
unsigned crash_points();
unsigned crash_seed();

}  // namespace beaconry::faults
