#pragma once
// An edge: a spool, and the real sender that takes its batches to the server.
#include <atomic>
#include <memory>
#include <string>

#include "spool/spool.h"
#include "uplink/sender.h"

namespace beaconry::faults {

class Edge {
 public:
  struct Options {
    std::string folder, url;
    std::string key = std::string(64, 'a');  // its fingerprint
    std::string name = "edge";
    std::uint64_t most_bytes = 64 << 20, segment_bytes = 1 << 20;
    Duration clock_ahead{0};
  };
  explicit Edge(const Options& options);
  ~Edge() { sender_.reset(); }
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  void begin_sending();
  // One batch of so many flows, `ahead` of now, into the spool.
  void add(unsigned flows, Duration ahead = Duration{0});
  bool is_drained() const { return spool_->first() == spool_->next(); }

  Spool& spool() { return *spool_; }
  const Sender& sender() const { return *sender_; }
  std::uint64_t batches() const { return batches_; }
  std::uint64_t flows() const { return flows_; }

 private:
  const Options options_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Sender> sender_;
  std::uint64_t batches_ = 0, flows_ = 0;
};

// The content of a batch of so many flows of 50 pairs; flows of other `first` are others.
std::string batch_of(unsigned flows, std::uint64_t first, Timestamp time);
// An envelope as it goes out.
std::string envelope_of(std::string content, std::uint64_t sequence, Timestamp sent,
                        const std::string& name = "edge");

}  // namespace beaconry::faults
