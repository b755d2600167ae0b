#pragma once
// Files for one test, and ways to store them.
#include <string>
#include <string_view>

namespace beaconry::cli {

// A folder of its own, gone with the test.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }
  // Writes a file, with the folders above it, and returns its path.
  std::string write(const std::string& name, std::string_view content) const;

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
std::string gzip(std::string_view text);
std::string zstd(std::string_view text);
// A pcap of one link type as pcapng, with the same packets and times.
std::string pcapng_of(const std::string& pcap);

}  // namespace beaconry::cli
