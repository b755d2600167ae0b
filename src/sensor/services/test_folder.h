#pragma once
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace beaconry {

// A short folder of one test's: paths of sockets are short. In memory where there is such a place,
// since these tests sync often.
class TestFolder {
 public:
  TestFolder() {
    if (::access("/dev/shm", W_OK) == 0) path_ = "/dev/shm/bcsXXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) path_ = "/nonexistent";
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/bcsXXXXXX";
};

}  // namespace beaconry
