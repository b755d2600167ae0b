#pragma once
#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "escape/evidence.h"
#include "escape/probe.h"

namespace beaconry {

// What the probe tells: a stable line of each try on its output, the record in evidence, and the
// table of --once. An evidence file that cannot be written is said once, until it can be again. One
// thread.
class Journal {
 public:
  using Say = std::function<void(const std::string& line)>;
  // The evidence outlives this.
  Journal(ProbeEvidence& evidence, Say say) : evidence_(evidence), say_(std::move(say)) {}

  void tried(const Try& made, Timestamp now);
  void answered(const Try& made, Timestamp now);
  // The same reason of the same method is told once a cycle.
  void skipped(MethodId method, CycleKind kind, std::uint32_t cycle, const std::string& why,
               Timestamp now);
  void heard(const std::string& peer, const Ping& ping, const IpAddress& from, Timestamp now);
  void began(CycleKind kind, std::uint32_t cycle, Timestamp now);
  void completed(CycleKind kind, std::uint32_t cycle, Timestamp now);
  void ended(Timestamp now);
  void seal_hourly(Timestamp now);
  // Any other line: "address …", "silent …".
  void note(const std::string& words, Timestamp now) { line(words, now); }

  std::vector<Probe::MethodResult> results() const;

 private:
  static constexpr std::size_t kMostReasons = 4096;

  void line(const std::string& words, Timestamp now);
  void keep(const Result<void>& written, Timestamp now);
  Probe::MethodResult& result_of(MethodId method);

  ProbeEvidence& evidence_;
  Say say_;
  std::vector<Probe::MethodResult> results_;
  std::set<std::tuple<MethodId, CycleKind, std::uint32_t, std::string>> told_;
  bool failing_ = false;
  Timestamp sealed_{};
};

}  // namespace beaconry
