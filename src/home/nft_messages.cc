#include "home/nft_messages.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace beaconry {
namespace {

constexpr std::uint32_t kOwner = 2;  // NFT_TABLE_F_OWNER, newer than some headers
constexpr std::size_t kAlignment = 4;

}  // namespace

NftMessages::NftMessages(std::string_view table) : table_(table) {
  end_message(begin_message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

std::size_t NftMessages::begin_message(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                                       std::uint16_t resource) {
  const std::size_t at = bytes_.size();
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = ++sequence_;
  nfgenmsg of{};
  of.nfgen_family = family;
  of.version = NFNETLINK_V0;
  of.res_id = htons(resource);
  bytes_.resize(at + sizeof header + sizeof of);
  std::memcpy(&bytes_[at], &header, sizeof header);
  std::memcpy(&bytes_[at + sizeof header], &of, sizeof of);
  return at;
}

std::size_t NftMessages::begin_change(std::uint16_t what) {
  ++changes_;
  const auto type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | what);
  return begin_message(type, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, NFPROTO_INET, 0);
}

void NftMessages::end_message(std::size_t at) {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - at);
  std::memcpy(&bytes_[at], &length, sizeof length);
}

void NftMessages::put_attribute(std::uint16_t type, ByteView value) {
  const nlattr header{static_cast<std::uint16_t>(sizeof header + value.size()), type};
  const std::size_t at = bytes_.size();
  bytes_.resize(at + sizeof header);
  std::memcpy(&bytes_[at], &header, sizeof header);
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
}

void NftMessages::put_text(std::uint16_t type, std::string_view text) {
  Bytes terminated(text.begin(), text.end());
  terminated.push_back(0);
  put_attribute(type, terminated);
}

void NftMessages::put_number(std::uint16_t type, std::uint32_t value) {
  std::array<std::uint8_t, 4> bytes;
  value = htonl(value);
  std::memcpy(bytes.data(), &value, sizeof value);
  put_attribute(type, bytes);
}

std::size_t NftMessages::begin_nest(std::uint16_t type) {
  const std::size_t at = bytes_.size();
  put_attribute(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
  return at;
}

void NftMessages::end_nest(std::size_t at) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
  std::memcpy(&bytes_[at], &length, sizeof length);
}

void NftMessages::add_table() {
  const std::size_t message = begin_change(NFT_MSG_NEWTABLE);
  put_text(NFTA_TABLE_NAME, table_);
  put_number(NFTA_TABLE_FLAGS, kOwner);
  end_message(message);
}

void NftMessages::add_chain(std::string_view name, Hook hook, std::int32_t priority) {
  const std::size_t message = begin_change(NFT_MSG_NEWCHAIN);
  put_text(NFTA_CHAIN_TABLE, table_);
  put_text(NFTA_CHAIN_NAME, name);
  const std::size_t nest = begin_nest(NFTA_CHAIN_HOOK);
  put_number(NFTA_HOOK_HOOKNUM, static_cast<std::uint32_t>(hook));
  put_number(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(priority));
  end_nest(nest);
  put_number(NFTA_CHAIN_POLICY, NF_ACCEPT);
  put_text(NFTA_CHAIN_TYPE, "filter");
  end_message(message);
}

void NftMessages::begin_rule(std::string_view chain) {
  rule_ = begin_change(NFT_MSG_NEWRULE);
  put_text(NFTA_RULE_TABLE, table_);
  put_text(NFTA_RULE_CHAIN, chain);
  expressions_ = begin_nest(NFTA_RULE_EXPRESSIONS);
}

std::size_t NftMessages::begin_expression(std::string_view name, std::size_t& data) {
  const std::size_t at = begin_nest(NFTA_LIST_ELEM);
  put_text(NFTA_EXPR_NAME, name);
  data = begin_nest(NFTA_EXPR_DATA);
  return at;
}

void NftMessages::end_expression(std::size_t at, std::size_t data) {
  end_nest(data);
  end_nest(at);
}

void NftMessages::compare(ByteView value) {
  std::size_t data;
  const std::size_t at = begin_expression("cmp", data);
  put_number(NFTA_CMP_SREG, NFT_REG_1);
  put_number(NFTA_CMP_OP, NFT_CMP_EQ);
  const std::size_t nest = begin_nest(NFTA_CMP_DATA);
  put_attribute(NFTA_DATA_VALUE, value);
  end_nest(nest);
  end_expression(at, data);
}

void NftMessages::match_transport(std::uint8_t protocol) {
  std::size_t data;
  const std::size_t at = begin_expression("meta", data);
  put_number(NFTA_META_DREG, NFT_REG_1);
  put_number(NFTA_META_KEY, NFT_META_L4PROTO);
  end_expression(at, data);
  compare({&protocol, 1});
}

void NftMessages::load_bytes(std::uint32_t transport_offset, std::uint32_t length) {
  std::size_t data;
  const std::size_t at = begin_expression("payload", data);
  put_number(NFTA_PAYLOAD_DREG, NFT_REG_1);
  put_number(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
  put_number(NFTA_PAYLOAD_OFFSET, transport_offset);
  put_number(NFTA_PAYLOAD_LEN, length);
  end_expression(at, data);
}

void NftMessages::match_bytes(std::uint32_t transport_offset, ByteView value) {
  load_bytes(transport_offset, static_cast<std::uint32_t>(value.size()));
  compare(value);
}

void NftMessages::match_bits(std::uint32_t transport_offset, std::uint8_t mask,
                             std::uint8_t value) {
  load_bytes(transport_offset, 1);
  std::size_t data;
  const std::size_t at = begin_expression("bitwise", data);
  put_number(NFTA_BITWISE_SREG, NFT_REG_1);
  put_number(NFTA_BITWISE_DREG, NFT_REG_1);
  put_number(NFTA_BITWISE_LEN, 1);
  std::size_t nest = begin_nest(NFTA_BITWISE_MASK);
  put_attribute(NFTA_DATA_VALUE, {&mask, 1});
  end_nest(nest);
  const std::uint8_t nothing = 0;
  nest = begin_nest(NFTA_BITWISE_XOR);
  put_attribute(NFTA_DATA_VALUE, {&nothing, 1});
  end_nest(nest);
  end_expression(at, data);
  compare({&value, 1});
}

void NftMessages::end_rule_with_drop() {
  std::size_t data;
  const std::size_t at = begin_expression("immediate", data);
  put_number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
  const std::size_t outer = begin_nest(NFTA_IMMEDIATE_DATA);
  const std::size_t inner = begin_nest(NFTA_DATA_VERDICT);
  put_number(NFTA_VERDICT_CODE, NF_DROP);
  end_nest(inner);
  end_nest(outer);
  end_expression(at, data);
  end_nest(expressions_);
  end_message(rule_);
}

Result<void> NftMessages::commit(int socket) {
  end_message(begin_message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket, bytes_.data(), bytes_.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) < 0) {
    return fail_errno("send", "nftables' batch");
  }
  std::array<char, 16'384> answer;
  for (unsigned acknowledged = 0; acknowledged < changes_;) {
    const ssize_t got = ::recv(socket, answer.data(), answer.size(), 0);
    if (got < 0) return fail_errno("read", "nftables' answer");
    auto left = static_cast<unsigned>(got);
    for (const auto* one = reinterpret_cast<const nlmsghdr*>(answer.data()); NLMSG_OK(one, left);
         one = NLMSG_NEXT(one, left)) {
      if (one->nlmsg_type != NLMSG_ERROR) continue;
      nlmsgerr result;
      std::memcpy(&result, NLMSG_DATA(one), sizeof result);
      if (result.error != 0) {
        errno = -result.error;
        return fail_errno("make", "nftables' table (needs CAP_NET_ADMIN and Linux 5.12)");
      }
      ++acknowledged;
    }
  }
  return {};
}

}  // namespace beaconry
