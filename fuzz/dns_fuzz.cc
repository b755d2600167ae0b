// Bytes as a DNS and as a DHCP message.
#include <cstdint>
#include <cstdlib>

#include "packet/dhcp_message.h"
#include "packet/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const ByteView bytes(data, size);
  DnsMessage dns;
  dns.parse(bytes);
  if (dns.question().size() > kLongestDnsName || dns.address_count() > kMostDnsAnswers) {
    std::abort();
  }
  for (const char c : dns.question()) {
    if (c <= ' ' || c >= '\x7f') std::abort();
  }
  if (const auto lease = dhcp_message(bytes); lease && lease->host_name.empty()) std::abort();
  return 0;
}
