#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bus/messages.h"

namespace beaconry {

// The folder of capture files. Names are tcpdump's, with the number of its run, so that no two runs
// write to one file: 20261121T180000Z.17.pcap, and .pcap1, .pcap2 where one got too long. One
// thread.
class Recordings {
 public:
  explicit Recordings(std::string folder) : folder_(std::move(folder)) {}

  // Makes the folder, removes what an interrupted deletion left, and finds the next run's number.
  Result<void> open();
  // For tcpdump's -w; each call begins another run.
  std::string next_run();

  struct File {
    std::string path;
    std::uint64_t run = 0, bytes = 0;
    Timestamp written{};  // last
  };
  Result<std::vector<File>> files() const;  // in the order in which they were written
  // How far the newest file is: changes as long as something is recorded.
  static std::string progress(const std::vector<File>& files);

  // Removes the oldest files until no more than `most` bytes are there; the newest is never.
  struct Removed {
    std::uint64_t files = 0, bytes = 0;
  };
  Result<Removed> keep_below(std::uint64_t most) const;

  // Removes every packet from before `before`: whole files, and of those on the border their older
  // part. `close_current` ends the run that writes, if its file is one of them: none is written to
  // when it returns. Items of the receipt are packets.
  RetentionReceipt retain(Timestamp before, const std::function<void()>& close_current) const;

  std::optional<Timestamp> oldest() const;  // packet of all

 private:
  std::string folder_;
  std::uint64_t run_ = 0;
};

}  // namespace beaconry
