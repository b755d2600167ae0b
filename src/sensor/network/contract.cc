#include "sensor/network/contract.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace beaconry {
namespace {

// Before everything else that somebody may have hooked there.
constexpr const char* kPriority = "-500";

std::string counter(const char* name, std::uint64_t packets) {
  return "  counter " + std::string(name) + " { packets " + std::to_string(packets) +
         " bytes 0 }\n";
}

std::string chain(const char* name, const char* hook, const std::string& device,
                  const std::string& rules) {
  return "  chain " + std::string(name) + " {\n    type filter hook " + hook + " device \"" +
         device + "\" priority " + kPriority + "; policy accept;\n" + rules + "  }\n";
}

// Begins anew, in one transaction with what follows.
std::string begin_table(const std::string& table) {
  return no_rules(table) + "table netdev " + table + " {\n";
}

NetlinkMessage ask_nftables(unsigned what) {
  NetlinkMessage message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | what), NLM_F_DUMP);
  nfgenmsg of{};
  of.nfgen_family = NFPROTO_NETDEV;
  of.version = NFNETLINK_V0;
  message.append(of);
  return message;
}

template <class Each>
void for_answer(const nlmsghdr& header, const char* body, const Each& each) {
  const std::size_t fixed = NLMSG_ALIGN(sizeof(nfgenmsg));
  if (NLMSG_PAYLOAD(&header, 0) < fixed) return;
  for_attributes({body + fixed, NLMSG_PAYLOAD(&header, fixed)}, each);
}

}  // namespace

std::string ContractRules::text() const {
  const std::string sent = "    jump chatter\n    counter name refused_sent drop\n";
  const std::string received = "    counter name refused_received drop\n";
  std::string text = begin_table(table) + counter("refused_sent", counts.refused_sent) +
                     counter("refused_received", counts.refused_received) +
                     counter("chatter", counts.chatter);
  // Solicitations and multicast reports that the kernel makes for an interface that comes up.
  text +=
      "  chain chatter {\n"
      "    icmpv6 type { 131, 132, 133, 135, 143 } counter name chatter drop\n  }\n";
  if (drop_sent) text += chain("sent", inside ? "egress" : "ingress", device, sent);
  if (drop_received) text += chain("received", inside ? "ingress" : "egress", device, received);
  return text + "}\n";
}

std::string mirror_rules(const std::string& table, const std::string& captured,
                         const std::string& device) {
  const std::string copy = "    dup to \"" + device + "\"\n";
  return begin_table(table) + chain("came", "ingress", captured, copy) +
         chain("went", "egress", captured, copy) + "}\n";
}

std::string no_rules(const std::string& table) {
  return "add table netdev " + table + "\ndelete table netdev " + table + "\n";
}

std::string end_of_chatter(const std::string& table) {
  return "flush chain netdev " + table + " chatter\n";
}

Result<std::vector<std::string>> list_tables(NetlinkSocket& filter) {
  NetlinkMessage message = ask_nftables(NFT_MSG_GETTABLE);
  std::vector<std::string> tables;
  auto done =
      filter.ask(message, "list", "nftables' tables", [&](const nlmsghdr& header, const char* at) {
        for_answer(header, at, [&](std::uint16_t type, std::string_view value) {
          if (type == NFTA_TABLE_NAME) tables.push_back(netlink_text(value));
        });
      });
  if (!done) return tl::unexpected<Error>(done.error());
  return tables;
}

Result<ContractCounts> read_counts(NetlinkSocket& filter, const std::string& table) {
  NetlinkMessage message = ask_nftables(NFT_MSG_GETOBJ);
  message.put_text(NFTA_OBJ_TABLE, table);
  ContractCounts counts;
  auto done = filter.ask(
      message, "read", "counters of " + table, [&](const nlmsghdr& header, const char* at) {
        std::string name, of;
        std::uint64_t packets = 0;
        for_answer(header, at, [&](std::uint16_t type, std::string_view value) {
          if (type == NFTA_OBJ_TABLE) of = netlink_text(value);
          if (type == NFTA_OBJ_NAME) name = netlink_text(value);
          if (type != NFTA_OBJ_DATA) return;
          for_attributes(value, [&](std::uint16_t inner, std::string_view number) {
            if (inner == NFTA_COUNTER_PACKETS)
              packets = be64toh(netlink_value<std::uint64_t>(number));
          });
        });
        if (of != table) return;
        if (name == "refused_sent") counts.refused_sent = packets;
        if (name == "refused_received") counts.refused_received = packets;
        if (name == "chatter") counts.chatter = packets;
      });
  if (!done) return tl::unexpected<Error>(done.error());
  return counts;
}

}  // namespace beaconry
