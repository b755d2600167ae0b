#include "capture/packet_spread.h"

#include <linux/if_ether.h>

#include <cstddef>
#include <cstdint>

#include "packet/parse.h"

namespace beaconry {
namespace {

class Program {
 public:
  void add(int code, std::uint32_t k) {
    code_.push_back({static_cast<std::uint16_t>(code), 0, 0, k});
  }
  // If A is `value`, goes on at a place to be told by land(), else with what follows.
  std::size_t branch(std::uint32_t value) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 0, value});
    return code_.size() - 1;
  }
  // The branches lead here.
  void land(std::vector<std::size_t>& branches) {
    for (const std::size_t at : branches)
      code_[at].jt = static_cast<std::uint8_t>(code_.size() - at - 1);
    branches.clear();
  }

  // Returns a mix of the words at [at, at + 4 * count) behind X.
  void mix(std::uint32_t at, std::uint32_t count) {
    constexpr std::uint32_t kSum = 0, kOffset = 1;  // scratch memory
    add(BPF_STX, kOffset);
    for (std::uint32_t i = 0; i < count; ++i) {
      add(BPF_LD | BPF_W | BPF_IND, at + 4 * i);
      if (i > 0) {
        add(BPF_LDX | BPF_MEM, kSum);
        add(BPF_ALU | BPF_XOR | BPF_X, 0);
      }
      add(BPF_ST, kSum);
      add(BPF_LDX | BPF_MEM, kOffset);
    }
    add(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1);
    add(BPF_ALU | BPF_RSH | BPF_K, 16);
    add(BPF_RET | BPF_A, 0);
  }

  std::vector<sock_filter> take() { return std::move(code_); }

 private:
  std::vector<sock_filter> code_;
};

constexpr std::uint32_t kLink = static_cast<std::uint32_t>(SKF_LL_OFF);
constexpr std::uint32_t kNetwork = static_cast<std::uint32_t>(SKF_NET_OFF);

}  // namespace

std::vector<sock_filter> address_spread(bool ethernet) {
  Program program;
  std::vector<std::size_t> ipv4, ipv6, tagged;
  const std::uint32_t base = ethernet ? kLink + ETH_HLEN : kNetwork;
  if (ethernet) {
    for (std::uint32_t tags = 0; tags <= kMostVlanTags; ++tags) {
      program.land(tagged);
      program.add(BPF_LDX | BPF_IMM, 4 * tags);
      program.add(BPF_LD | BPF_H | BPF_IND, kLink + 12);
      ipv4.push_back(program.branch(ETH_P_IP));
      ipv6.push_back(program.branch(ETH_P_IPV6));
      for (const std::uint32_t tag : {0x8100U, 0x88a8U, 0x9100U, 0x9200U})
        tagged.push_back(program.branch(tag));
      program.add(BPF_RET | BPF_K, 0);
    }
    program.land(tagged);
  } else {
    program.add(BPF_LDX | BPF_IMM, 0);
    program.add(BPF_LD | BPF_B | BPF_IND, base);
    program.add(BPF_ALU | BPF_RSH | BPF_K, 4);
    ipv4.push_back(program.branch(4));
    ipv6.push_back(program.branch(6));
  }
  program.add(BPF_RET | BPF_K, 0);
  program.land(ipv4);
  program.mix(base + 12, 2);
  program.land(ipv6);
  program.mix(base + 8, 8);
  return program.take();
}

}  // namespace beaconry
