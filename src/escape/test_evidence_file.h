#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "escape/evidence.h"
#include "escape/method.h"

// For tests of evidence: a file of its own in a folder that goes with it, and what a probe usually
// writes.
namespace beaconry::test {

constexpr Timestamp kStart{std::chrono::seconds(1'800'000'000)};
inline const IpAddress kHome = *IpAddress::parse("203.0.113.10");

constexpr Method method_of(MethodId id) {
  return {id, "", Risk::none, "", 0, false, nullptr, nullptr, nullptr};
}
constexpr Method kUdp = method_of(MethodId::udp_port);
constexpr Method kIpProto = method_of(MethodId::ip_proto);
constexpr Method kNeighbour = method_of(MethodId::neighbour_gateway);

inline PartyKeys keys_of(std::uint8_t which) {
  Key32 seed{};
  seed[0] = which;
  return PartyKeys(seed);
}

inline Try make_try(const Method& method, std::uint16_t port, std::uint64_t sequence,
                    CycleKind kind = CycleKind::short_cycle, std::uint32_t cycle = 1) {
  Try made;
  made.method = &method;
  made.target.destination = kHome;
  made.target.port = port;
  made.sequence = sequence;
  made.cycle_kind = kind;
  made.cycle = cycle;
  return made;
}

class EvidenceFile {
 public:
  EvidenceFile() {
    char name[] = "/tmp/beaconry_evidence_XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~EvidenceFile() { std::filesystem::remove_all(folder_); }
  EvidenceFile(const EvidenceFile&) = delete;
  EvidenceFile& operator=(const EvidenceFile&) = delete;

  std::string path() const { return folder_ + "/evidence.log"; }
  std::string text() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(const std::string& text) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << text;
  }
  Result<std::unique_ptr<ProbeEvidence>> open(Timestamp now = kStart, std::uint8_t whose = 1,
                                              std::uint64_t most = 32 << 20) const {
    return ProbeEvidence::open({path(), most, "press line 3"}, keys_of(whose), now);
  }

 private:
  std::string folder_;
};

// A file of two short cycles and a part of a long one, ended cleanly.
inline void write_usual(const EvidenceFile& file) {
  auto opened = file.open();
  ASSERT_TRUE(opened) << opened.error().message();
  ProbeEvidence& evidence = **opened;
  std::uint64_t sequence = evidence.last_sequence();
  Timestamp now = kStart;
  for (std::uint32_t cycle = 1; cycle <= 2; ++cycle) {
    ASSERT_TRUE(evidence.began(CycleKind::short_cycle, cycle, now));
    ASSERT_TRUE(evidence.skipped(MethodId::dns, CycleKind::short_cycle, cycle,
                                 "no resolver is known", now));
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{53, 443, 8080}) {
      const Try made = make_try(kUdp, port, ++sequence, CycleKind::short_cycle, cycle);
      ASSERT_TRUE(evidence.tried(made, now += std::chrono::seconds(1)));
      if (port == 443) {
        ASSERT_TRUE(evidence.answered(made, now));
      }
    }
    Try via = make_try(kNeighbour, 0, ++sequence, CycleKind::short_cycle, cycle);
    via.target.via = *IpAddress::parse("10.0.1.50");
    ASSERT_TRUE(evidence.tried(via, now += std::chrono::seconds(1)));
    ASSERT_TRUE(evidence.completed(CycleKind::short_cycle, cycle, now += std::chrono::seconds(1)));
    if (cycle == 1) {
      ASSERT_TRUE(evidence.began(CycleKind::long_cycle, 1, now));
    }
    for (std::uint16_t i = 1; i <= 100; ++i) {
      ASSERT_TRUE(evidence.tried(make_try(kUdp, i, ++sequence, CycleKind::long_cycle, 1),
                                 now += std::chrono::seconds(1)));
    }
  }
  ASSERT_TRUE(evidence.heard("dmz #1", Ping(), now));
  ASSERT_TRUE(evidence.heard("dmz #1", Ping(), now + std::chrono::minutes(2)));
  ASSERT_TRUE(evidence.end(now + std::chrono::minutes(3)));
}

// True only of what nobody touched.
inline bool is_whole(const EvidenceFile& file) {
  const Key32 key = keys_of(1).sign_public();
  const auto report = verify_evidence(file.path(), &key);
  return report && report->clean_end;
}

}  // namespace beaconry::test
