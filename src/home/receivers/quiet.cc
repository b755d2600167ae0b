#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "base/fd.h"
#include "home/nft_messages.h"
#include "home/receiver.h"
#include "packet/parse.h"
#include "ping/seal.h"

namespace beaconry {
namespace {

constexpr std::int32_t kPriority = -300;  // before connection tracking
constexpr std::uint32_t kIcmpHeader = 8;

// Takes nothing in: keeps the kernel from answering what home sees and answers itself. It does not
// echo pings of probes, whose answers would look like home's; does not reset segments that belong
// to no connection; and does not tell that it knows a protocol not. The sniffer sees packets before
// this does. Everything else is answered as ever.
class Quiet final : public Receiver {
 public:
  explicit Quiet(Fd socket) : socket_(std::move(socket)) {}
  std::vector<int> descriptors() const override { return {}; }
  void work(Desk& /*desk*/) override {}
  std::vector<Counter> counters() const override { return {}; }

 private:
  Fd socket_;  // the table goes with it
};

void add_rules(NftMessages& messages) {
  messages.add_chain("in", NftMessages::Hook::input, kPriority);
  for (const std::uint8_t protocol : {kProtocolIcmp, kProtocolIcmpv6}) {
    messages.begin_rule("in");
    messages.match_transport(protocol);
    messages.match_bytes(kIcmpHeader, kPingMagic);
    messages.end_rule_with_drop();
  }
  messages.add_chain("out", NftMessages::Hook::output, kPriority);
  // A reset that acknowledges nothing answers a segment of no connection (RFC 9293 §3.10.7.1).
  constexpr std::uint32_t kFlags = 13;
  messages.begin_rule("out");
  messages.match_transport(kProtocolTcp);
  messages.match_bits(kFlags, kTcpRst | kTcpAck | kTcpSyn, kTcpRst);
  messages.end_rule_with_drop();
  const std::array<std::uint8_t, 2> no_protocol{3, 2}, no_header{4, 1};
  messages.begin_rule("out");
  messages.match_transport(kProtocolIcmp);
  messages.match_bytes(0, no_protocol);
  messages.end_rule_with_drop();
  messages.begin_rule("out");
  messages.match_transport(kProtocolIcmpv6);
  messages.match_bytes(0, no_header);
  messages.end_rule_with_drop();
}

Result<std::unique_ptr<Receiver>> open(const HomeSettings& settings) {
  if (!settings.suppress_replies) return std::unique_ptr<Receiver>{};
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  sockaddr_nl ours{};
  ours.nl_family = AF_NETLINK;
  const timeval patience{5, 0};
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&ours), sizeof ours) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    return fail_errno("open", "netlink for nftables");
  }
  const std::string table = "beaconry-home-" + std::to_string(::getpid());
  NftMessages messages(table);
  messages.add_table();
  add_rules(messages);
  if (auto done = messages.commit(socket.get()); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return std::make_unique<Quiet>(std::move(socket));
}

}  // namespace

namespace receivers {
extern constinit const ReceiverKind quiet{.name = "quiet", .open = open};
}
}  // namespace beaconry
