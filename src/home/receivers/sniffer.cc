#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "base/fnv.h"
#include "home/answer_socket.h"
#include "home/packet_finds.h"
#include "home/receiver.h"
#include "home/sniff_ring.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr int kBlocksAtOnce = 32;
constexpr std::chrono::seconds kLookAgain{1};
constexpr std::size_t kMostInterfaces = 4096;

// A packet that comes in at a bridge's or a bond's port comes again above it, with the time stamp
// that it got when it arrived.
class Copies {
 public:
  bool is_copy(const SniffedPacket& packet) {
    const std::uint64_t mark = mark_of(packet.bytes);
    for (const Last& last : last_) {
      if (last.nanoseconds == packet.nanoseconds && last.mark == mark &&
          last.interface != packet.interface) {
        return true;
      }
    }
    last_[next_++ % last_.size()] = {packet.nanoseconds, mark, packet.interface};
    return false;
  }

 private:
  struct Last {
    std::uint64_t nanoseconds = 0, mark = 0;
    int interface = 0;
  };
  // Of the length and what differs between packets that follow each other.
  static std::uint64_t mark_of(ByteView bytes) {
    std::uint64_t hash = kFnvBasis ^ bytes.size();
    for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 64)))
      hash = fnv1a(hash, byte);
    return hash;
  }
  std::array<Last, 8> last_{};
  std::size_t next_ = 0;
};

// Which interfaces are wanted, by number; the names may come and go.
class WantedInterfaces {
 public:
  explicit WantedInterfaces(std::vector<std::string> names)
      : names_(std::move(names)), names_socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

  bool has(int interface, Timestamp now) {
    if (names_.empty()) return true;
    if (now - looked_ >= kLookAgain || now < looked_ || wanted_.size() > kMostInterfaces) {
      wanted_.clear();
      looked_ = now;
    }
    const auto known = wanted_.find(interface);
    if (known != wanted_.end()) return known->second;
    ifreq request{};
    request.ifr_ifindex = interface;
    const bool wanted =
        ::ioctl(names_socket_.get(), SIOCGIFNAME, &request) == 0 &&
        std::find(names_.begin(), names_.end(), std::string(request.ifr_name)) != names_.end();
    wanted_.emplace(interface, wanted);
    return wanted;
  }

 private:
  std::vector<std::string> names_;
  Fd names_socket_;
  std::unordered_map<int, bool> wanted_;
  Timestamp looked_{};
};

class Sniffer final : public Receiver {
 public:
  Sniffer(const HomeSettings& settings, std::unique_ptr<SniffRing> ring, AnswerSocket answers)
      : dns_port_(settings.dns_port),
        wanted_(settings.interfaces),
        ring_(std::move(ring)),
        answers_(std::move(answers)) {}

  std::vector<int> descriptors() const override { return {ring_->descriptor()}; }

  void work(Desk& desk) override {
    const Timestamp now = desk.now();
    for (int block = 0; block < kBlocksAtOnce; ++block) {
      if (!ring_->read([&](const SniffedPacket& packet) { take(desk, packet, now); })) break;
    }
    drops_ += ring_->take_drops();
  }

  std::vector<Counter> counters() const override {
    return {{"packets", packets_},         {"pings", pings_},      {"copies", copies_},
            {"tokens_looked_up", tokens_}, {"answers", answered_}, {"ring_drops", drops_}};
  }

 private:
  void take(Desk& desk, const SniffedPacket& packet, Timestamp now) {
    if (!wanted_.has(packet.interface, now)) return;
    ++packets_;
    auto find = find_in_packet(packet.bytes, dns_port_);
    if (!find) return;
    if (copies_of_.is_copy(packet)) {
      ++copies_;
      return;
    }
    Observation& seen = find->seen;
    seen.receiver = "sniffer";
    seen.received = Timestamp{Duration{static_cast<std::int64_t>(packet.nanoseconds / 1000)}};
    if (!find->ping) {
      ++tokens_;
      desk.bounced(*find->token, find->sent_as, std::move(seen));
      return;
    }
    ++pings_;
    if (!find->echo && seen.protocol != kProtocolUdp) {
      (void)desk.found(find->ping->sealed, std::move(seen));
      return;
    }
    Observation to;
    to.source = seen.source;
    to.destination = seen.destination;
    to.source_port = seen.source_port;
    to.destination_port = seen.destination_port;
    const auto answer = desk.found(find->ping->sealed, std::move(seen));
    if (!answer) return;
    const bool sent = find->echo ? answers_.send_echo(to, *find->echo, answer->reply)
                                 : answers_.send_udp(to, answer->reply);
    if (sent) ++answered_;
  }

  std::uint16_t dns_port_;
  WantedInterfaces wanted_;
  std::unique_ptr<SniffRing> ring_;
  AnswerSocket answers_;
  Copies copies_of_;
  std::uint64_t packets_ = 0, pings_ = 0, copies_ = 0, tokens_ = 0, answered_ = 0, drops_ = 0;
};

Result<std::unique_ptr<Receiver>> open(const HomeSettings& settings) {
  auto ring = SniffRing::open();
  if (!ring) return tl::unexpected<Error>(std::move(ring.error()));
  auto answers = AnswerSocket::open();
  if (!answers) return tl::unexpected<Error>(std::move(answers.error()));
  return std::make_unique<Sniffer>(settings, std::move(*ring), std::move(*answers));
}

}  // namespace

namespace receivers {
extern constinit const ReceiverKind sniffer{.name = "sniffer", .open = open};
}
}  // namespace beaconry
