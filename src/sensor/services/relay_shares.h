#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "spool/spool.h"

namespace beaconry {

// Whose bytes wait in the spool of relayed batches, so that none fills it for the others: with N
// instances each may have 1/(N+1) of it waiting, and one batch always. Any thread; one instance's
// batches are to come one after the other.
class RelayShares {
 public:
  // `most_bytes` of the spool, which outlives it; 0: there are no shares.
  RelayShares(Spool& spool, std::uint64_t most_bytes);
  void set_instances(std::size_t instances);

  bool has_room(const std::string& instance, std::uint64_t bytes);
  void appended(const std::string& instance, std::uint64_t sequence, std::uint64_t bytes);
  std::uint64_t share();
  std::uint64_t waiting(const std::string& instance);

 private:
  struct Batch {
    std::uint64_t sequence = 0, bytes = 0;
    std::string instance;
  };
  void forget_released();

  Spool& spool_;
  const std::uint64_t most_bytes_;
  std::mutex mutex_;
  std::size_t instances_ = 1;
  std::deque<Batch> batches_;
  std::map<std::string, std::uint64_t> waiting_;
};

}  // namespace beaconry
