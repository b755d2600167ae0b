#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace beaconry {

// Where in an input something stands: "conn.log.gz line 17", "a.pcap byte 4096".
struct Place {
  std::string_view file;
  enum class Unit : std::uint8_t { none, line, byte, packet } unit = Unit::none;
  std::uint64_t at = 0;
};

// What could not be read, counted by reason with the first place of each. Any thread may call.
class ReadReport {
 public:
  struct Refusal {
    std::string reason;       // "timestamp is not a number"
    std::string first_place;  // "conn.log line 17"
    std::uint64_t count = 0;
  };

  // One line, packet or record was not used. `reason` is one of few fixed texts.
  void refuse(std::string_view reason, const Place& place, std::uint64_t count = 1);
  // A whole input could not be read, or not to its end.
  void fail_input(std::string_view path, std::string reason);

  void count_input_read() { ++inputs_read_; }
  void count_records(std::uint64_t count) { records_ += count; }
  void count_packets(std::uint64_t count) { packets_ += count; }
  void count_bytes(std::uint64_t count) { bytes_ += count; }
  void expect_bytes(std::uint64_t count) { bytes_expected_ += count; }

  std::uint64_t inputs_read() const { return inputs_read_; }  // at least one record was used
  std::uint64_t records() const { return records_; }          // connections used
  std::uint64_t packets() const { return packets_; }
  std::uint64_t bytes() const { return bytes_; }  // as stored, that is compressed
  std::uint64_t bytes_expected() const { return bytes_expected_; }
  std::uint64_t refused() const;                                           // over all reasons
  std::vector<Refusal> refusals() const;                                   // commonest first
  std::vector<std::pair<std::string, std::string>> failed_inputs() const;  // path, reason

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Refusal, std::less<>> refusals_;
  std::vector<std::pair<std::string, std::string>> failed_inputs_;
  std::atomic<std::uint64_t> inputs_read_{0}, records_{0}, packets_{0}, bytes_{0},
      bytes_expected_{0};
};

}  // namespace beaconry
