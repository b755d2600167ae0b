#include <sys/socket.h>

#include <utility>

#include "home/dns_connections.h"
#include "home/dns_datagrams.h"
#include "home/zone.h"

namespace beaconry {
namespace {

class DnsReceiver final : public Receiver {
 public:
  DnsReceiver(const HomeSettings& settings, std::vector<DnsDatagrams> datagrams,
              DnsConnections connections)
      : zone_(settings.zone, settings.addresses),
        datagrams_(std::move(datagrams)),
        connections_(std::move(connections)) {}

  std::vector<int> descriptors() const override {
    std::vector<int> all;
    for (const DnsDatagrams& datagrams : datagrams_)
      all.push_back(datagrams.descriptor());
    const std::vector<int> others = connections_.descriptors();
    all.insert(all.end(), others.begin(), others.end());
    return all;
  }

  void work(Desk& desk) override {
    for (DnsDatagrams& datagrams : datagrams_)
      datagrams.work(zone_, desk);
    connections_.work(zone_, desk);
  }

  std::vector<Counter> counters() const override {
    const Zone::Counts& zone = zone_.counts();
    const DnsConnections::Counts& tcp = connections_.counts();
    std::uint64_t unsent = 0;
    for (const DnsDatagrams& datagrams : datagrams_)
      unsent += datagrams.unsent();
    return {{"questions", zone.questions}, {"pings", zone.pings},
            {"answers", zone.answers},     {"again", zone.again},
            {"malformed", zone.malformed}, {"refused", zone.refused},
            {"limited", zone.limited},     {"unsent", unsent},
            {"connections", tcp.accepted}, {"connections_refused", tcp.refused},
            {"connections_open", tcp.open}};
  }

 private:
  Zone zone_;
  std::vector<DnsDatagrams> datagrams_;
  DnsConnections connections_;
};

// Where to wait for questions: at home's own addresses, so that another server may have port 53 of
// loopback. Where one of a family is not this machine's, as behind a NAT, at all of the family.
Result<std::vector<IpAddress>> places(const HomeSettings& settings) {
  std::vector<IpAddress> list;
  for (const bool is_v4 : {true, false}) {
    std::vector<IpAddress> own;
    bool is_any_elsewhere = false;
    for (const IpAddress& address : settings.addresses) {
      if (address.is_v4() != is_v4) continue;
      own.push_back(address);
      if (!open_bound(address, 0, SOCK_DGRAM)) is_any_elsewhere = true;
    }
    if (is_any_elsewhere) own = {is_v4 ? IpAddress::v4(0) : IpAddress{}};
    list.insert(list.end(), own.begin(), own.end());
  }
  if (list.empty()) {
    return fail(ErrorKind::usage, "open", "the DNS server",
                "home has no address: name those by which probes know it");
  }
  return list;
}

Result<std::unique_ptr<Receiver>> open(const HomeSettings& settings) {
  if (settings.zone.empty()) return std::unique_ptr<Receiver>();
  const auto list = places(settings);
  if (!list) return tl::unexpected<Error>(list.error());
  std::vector<DnsDatagrams> datagrams;
  for (const IpAddress& address : *list) {
    auto opened = DnsDatagrams::open(address, settings.dns_port);
    if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
    datagrams.push_back(std::move(*opened));
  }
  auto connections = DnsConnections::listen(*list, settings.dns_port);
  if (!connections) return tl::unexpected<Error>(std::move(connections.error()));
  return std::make_unique<DnsReceiver>(settings, std::move(datagrams), std::move(*connections));
}

}  // namespace

namespace receivers {
extern constinit const ReceiverKind dns{.name = "dns", .open = open};
}
}  // namespace beaconry
