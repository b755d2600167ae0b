#pragma once
// What the spool's tests share.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "spool/spool.h"

namespace beaconry {

class TestFolder {
 public:
  enum class Where { disk, memory };
  // In memory, for tests with thousands of syncs; if there is such a place.
  explicit TestFolder(Where where = Where::disk) {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = where == Where::memory && ::access(memory.c_str(), W_OK) == 0;
    const auto parent = in_memory ? memory : std::filesystem::temp_directory_path();
    path_ = (parent / "beaconry-spool-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) path_ = "/nonexistent";
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string spool() const { return path_ + "/spool"; }
  const std::string& path() const { return path_; }

  std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(spool())) {
      if (entry.path().extension() == ".seg") found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::uint64_t bytes_of_segments() const {
    std::uint64_t bytes = 0;
    for (const std::string& segment : segments())
      bytes += std::filesystem::file_size(segment);
    return bytes;
  }

 private:
  std::string path_;
};

inline Timestamp second(std::int64_t seconds) {
  return Timestamp{std::chrono::seconds{seconds}};
}

inline std::unique_ptr<Spool> open_spool(const Spool::Options& options) {
  auto spool = Spool::open(options);
  if (!spool) {
    ADD_FAILURE() << spool.error().message();
    return nullptr;
  }
  return std::move(*spool);
}

// Appends one, which must succeed.
inline std::uint64_t put(Spool& spool, std::string_view record, Timestamp now = second(1)) {
  const auto sequence = spool.append(record, now);
  if (sequence) return *sequence;
  ADD_FAILURE() << sequence.error().message();
  return 0;
}

inline Spool::Record get(Spool& spool, std::uint64_t sequence) {
  auto got = spool.read(sequence);
  if (got && *got) return std::move(**got);
  ADD_FAILURE() << (got ? "no record" : got.error().message());
  return {};
}

// All that can be read from `sequence` on.
inline std::vector<Spool::Record> read_all(Spool& spool, std::uint64_t sequence = 1) {
  std::vector<Spool::Record> records;
  for (;;) {
    auto got = spool.read(sequence);
    if (!got) {
      ADD_FAILURE() << got.error().message();
      return records;
    }
    if (!*got) return records;
    sequence = (*got)->sequence + 1;
    records.push_back(std::move(**got));
  }
}

}  // namespace beaconry
