// Bytes as what a proxy answers (HTTP and SOCKS) and as a proxy configuration. The first byte says
// where in the talk they come.
#include <cstdint>
#include <cstdlib>

#include "escape/proxy_answer.h"
#include "escape/test_wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  if (size == 0) return 0;
  const std::uint8_t form = data[0];
  const ByteView bytes(data + 1, size - 1);
  const HttpAnswerHead head = read_http_answer(bytes);
  if (head.status == HttpAnswerHead::Status::found &&
      (head.size > bytes.size() || head.code < 100 || head.code > 599)) {
    std::abort();
  }
  if (read_socks5_answer(bytes).size > bytes.size()) std::abort();
  const auto proxies = pac_proxies(as_text(bytes));
  if (proxies.size() > kMostPacProxies) std::abort();
  for (const PacProxy& proxy : proxies) {
    if (proxy.host.empty() || proxy.host.size() > 253 || proxy.port == 0) std::abort();
  }
  if (const auto url = parse_http_url(as_text(bytes))) {
    if (url->host.empty() || url->path.find_first_of("\r\n ") != std::string::npos) std::abort();
  }

  static test::House house;
  if (house.segment.wpad().empty()) house.segment.set_wpad("http://10.0.1.60/wpad.dat");
  const bool socks = form % 2 == 1;
  const Method& method = *find_method(socks ? MethodId::socks_proxy : MethodId::http_proxy);
  const std::uint8_t variant = socks ? 4 + form / 2 % 3 : 1 + form / 2 % 4;
  test::TestWire wire(house);
  wire.run(method, {test::address("203.0.113.10"), 443, variant, test::address("10.0.1.50")});
  if (wire.connections().empty()) return 0;
  wire.accept();
  wire.feed(bytes.first(bytes.size() / 2));
  if (!wire.conversation()->is_done()) wire.feed(bytes.subspan(bytes.size() / 2));
  if (!wire.conversation()->is_done()) wire.hang_up("closed");
  for (int i = 0; i < 20 && !wire.conversation()->is_done(); ++i)
    wire.time_out();
  if (wire.answered() || !wire.conversation()->is_done()) std::abort();
  return 0;
}
