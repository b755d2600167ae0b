#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "escape/evidence.h"
#include "escape/link.h"
#include "escape/probe.h"
#include "escape/stack/frame.h"
#include "ping/seal.h"

// For tests of the whole probe: a link in memory whose other end is a script, a clock that goes on
// only while the probe waits, and a record in memory.
namespace beaconry::test {

class TestLink : public Link {
 public:
  struct Sent {
    Timestamp when;
    Bytes frame;
  };

  TestLink() {
    facts_.name = "test0";
    facts_.mac = {{2, 0, 0, 0, 0, 9}};
    facts_.up = true;
  }

  // Called with each frame that left; answers by deliver().
  std::function<void(const Frame& frame, ByteView bytes)> peer;
  // Called before each wait.
  std::function<void()> turn;

  void deliver(Bytes frame, Duration after = std::chrono::milliseconds(1)) {
    coming_.emplace(now + after, std::move(frame));
  }

  InterfaceFacts& change_facts() { return facts_; }
  const InterfaceFacts& facts() const override { return facts_; }
  Result<void> send(ByteView frame, Timestamp when) override {
    sent.push_back({when, Bytes(frame.begin(), frame.end())});
    if (peer) {
      if (const auto read = read_frame(frame)) peer(*read, frame);
    }
    return {};
  }
  Result<std::optional<ByteView>> receive(std::chrono::milliseconds wait) override {
    if (turn) turn();
    now += std::chrono::microseconds(10);  // nothing takes no time
    const Timestamp until = now + wait;
    if (coming_.empty() || coming_.begin()->first > until) {
      now = until;
      return std::nullopt;
    }
    now = std::max(now, coming_.begin()->first);
    given_ = std::move(coming_.begin()->second);
    coming_.erase(coming_.begin());
    return ByteView(given_);
  }
  int descriptor() const override { return -1; }
  std::uint64_t drops() const override { return 0; }

  Timestamp now{std::chrono::seconds{1'795'000'000}};
  std::vector<Sent> sent;

 private:
  InterfaceFacts facts_;
  std::multimap<Timestamp, Bytes> coming_;
  Bytes given_;
};

class TestEvidence : public ProbeEvidence {
 public:
  Result<void> tried(const Try& made, Timestamp) override { return keep("tried", made); }
  Result<void> answered(const Try& made, Timestamp) override { return keep("answered", made); }
  Result<void> skipped(MethodId method, CycleKind, std::uint32_t, std::string_view why,
                       Timestamp) override {
    lines.push_back("skipped " + std::string(to_string(method)) + " " + std::string(why));
    return {};
  }
  Result<void> heard(std::string_view peer, const Ping& ping, Timestamp) override {
    lines.push_back("heard " + std::string(peer) + " " + std::to_string(ping.sequence));
    return {};
  }
  Result<void> began(CycleKind, std::uint32_t cycle, Timestamp) override {
    lines.push_back("began " + std::to_string(cycle));
    return {};
  }
  Result<void> completed(CycleKind, std::uint32_t cycle, Timestamp) override {
    lines.push_back("completed " + std::to_string(cycle));
    return {};
  }
  Result<void> seal(Timestamp) override {
    ++seals;
    return {};
  }
  std::uint64_t last_sequence() const override { return 41; }
  std::uint32_t last_cycle(CycleKind) const override { return 2; }

  std::size_t count(std::string_view word) const {
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(),
                      [&](const std::string& line) { return line.starts_with(word); }));
  }
  std::vector<std::string> lines;
  int seals = 0;

 private:
  Result<void> keep(const char* verb, const Try& made) {
    lines.push_back(std::string(verb) + " " + std::string(to_string(made.method->id)) + " " +
                    std::to_string(made.sequence));
    return {};
  }
};

}  // namespace beaconry::test
