// Bytes as what a DHCP client's script wrote of a server's words.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sensor/network/dhcp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using beaconry::DhcpNews;
  const DhcpNews news =
      DhcpNews::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (news.state.size() > 20 || news.resolvers.size() > 4) std::abort();
  if (news.address && (!news.address->address.is_v4() || news.address->bits > 32)) std::abort();
  if (news.address && beaconry::Prefix::parse(news.address->to_string()) != news.address)
    std::abort();
  return 0;
}
