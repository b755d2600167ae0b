#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/rate_bucket.h"
#include "home/dns_message.h"
#include "home/receiver.h"

namespace beaconry {

// The zone that home answers for, from a request's bytes to the answer's: docs/formats/ping.md says
// what answers to pings hold. Pure but for the desk that pings are given to.
//   Names that are not the zone's are refused. The names between the zone and a ping exist and are
// empty, for resolvers that ask for them first (RFC 9156). Nobody gets more than a question's size
// and a SOA record's but for an authentic ping, whose answer is given again for kAgain: resolvers
// ask twice. By UDP a network gets kASecond other answers, then every second one truncated, the
// others none, and all networks together kAllASecond.
class Zone {
 public:
  static constexpr std::chrono::seconds kAgain{10};
  static constexpr std::size_t kMostAgain = 1024;
  static constexpr double kASecond = 50, kAllASecond = 5000;
  static constexpr std::size_t kMostNetworks = 4096;
  enum class Transport : std::uint8_t { udp, tcp };

  // `name` without its final dot; `addresses` are home's own.
  Zone(const std::string& name, const std::vector<IpAddress>& addresses);

  // Nothing: no answer. `seen` has addresses, ports, protocol and TTL.
  std::optional<Bytes> answer(ByteView message, Transport transport, const Observation& seen,
                              Desk& desk);

  struct Counts {
    std::uint64_t questions = 0, pings = 0, answers = 0;
    std::uint64_t again = 0;      // questions answered as the one before
    std::uint64_t malformed = 0;  // or of another operation
    std::uint64_t refused = 0;    // for names that are not ours
    std::uint64_t limited = 0;    // not answered, or truncated: too many of one network
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Given {
    Nonce of{};
    Answerable answer;
    Timestamp until{};
  };
  struct Network {
    RateBucket bucket{kASecond, kASecond};
    bool slip = false;
  };
  enum class Place : std::uint8_t { foreign, apex, name_server, ping, between, none };
  enum class Limit : std::uint8_t { none, truncate, drop };

  struct Reply {
    const Answerable* answer = nullptr;
    bool is_again = false;
  };
  Reply look_up(const FoundPing& ping, const Observation& seen, ByteView message, Desk& desk);
  Place place_of(const DnsRequest& request) const;
  Limit limit(const IpAddress& source, Timestamp now);
  void put_addresses(DnsAnswerWriter& out, std::uint16_t type, std::uint32_t ttl,
                     std::size_t most) const;
  void put_reply(DnsAnswerWriter& out, const DnsRequest& request, const Answerable& answer) const;
  DnsCode write(DnsAnswerWriter& out, const DnsRequest& request, const Answerable* answer) const;

  std::vector<std::string> labels_;
  std::vector<IpAddress> v4_, v6_;
  std::deque<Given> given_;  // the oldest first
  std::unordered_map<std::uint64_t, Network> networks_;
  RateBucket all_{kAllASecond, kAllASecond};
  Counts counts_;
};

}  // namespace beaconry
