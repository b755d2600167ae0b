#pragma once
// beaconry-collector, following a log that grows.
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "faults/child.h"

namespace beaconry::faults {

// Zeek's conn.log, written as Zeek does: whole lines and, at times, pieces of one. Line n is of the
// pair n modulo kPairs.
class GrowingLog {
 public:
  static constexpr std::uint64_t kPairs = 50;

  explicit GrowingLog(const std::string& folder);
  void add(std::mt19937& random);
  void rotate();
  std::uint64_t lines() const { return lines_; }

 private:
  void open();

  std::string folder_;
  std::ofstream out_;
  std::uint64_t lines_ = 0;
  unsigned rotations_ = 0;
};

// Follows `folder`/zeek and sends to `url` every 100 ms.
class Collector {
 public:
  Collector(const std::string& folder, const std::string& url);
  void begin(std::map<std::string, std::string> environment = {});  // does not wait
  void crash() { child_.reset(); }
  void end();  // SIGTERM, which must end it well
  std::string log() const { return folder_ + "/collector.log"; }

 private:
  std::string folder_;
  std::unique_ptr<Child> child_;
};

}  // namespace beaconry::faults
