// sni_inspector PORT RESOLVER
//   The half of an inspecting firewall that leaks: it takes connections that the gateway redirects
//   to PORT (nft: tcp dport 443 redirect to :PORT), reads the TLS hello, asks RESOLVER for the
//   addresses of the server name, and refuses the connection whatever the answer. No packet of the
//   segment is forwarded; the name left all the same.
#include "packet/tls_client_hello.h"
#include "stream.h"

using namespace beaconry;
using namespace beaconry::device;

namespace {

// One question for an A record, by a stub resolver (RFC 1035).
Bytes question(std::string_view name, std::uint16_t id) {
  Bytes out{static_cast<std::uint8_t>(id >> 8),
            static_cast<std::uint8_t>(id),
            1,
            0,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            0};
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    if (dot == 0 || dot > 63) return {};
    out.push_back(static_cast<std::uint8_t>(dot));
    for (const char letter : name.substr(0, dot))
      out.push_back(static_cast<std::uint8_t>(letter));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  const Bytes end{0, 0, 1, 0, 1};
  out.insert(out.end(), end.begin(), end.end());
  return out;
}

void resolve(const IpAddress& resolver, std::string_view name) {
  const Bytes asked = question(name, static_cast<std::uint16_t>(getpid()));
  if (asked.empty()) return;
  const int descriptor = socket(AF_INET6, SOCK_DGRAM, 0);
  const int off = 0;
  setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(53);
  std::memcpy(&to.sin6_addr, resolver.bytes().data(), 16);
  if (sendto(descriptor, asked.data(), asked.size(), 0, reinterpret_cast<const sockaddr*>(&to),
             sizeof to) < 0) {
    std::perror("sendto");
  }
  pollfd answer{descriptor, POLLIN, 0};
  poll(&answer, 1, 1000);
  close(descriptor);
}

}  // namespace

int main(int count, char** words) {
  const auto resolver = count == 3 ? IpAddress::parse(words[2]) : std::nullopt;
  if (!resolver) {
    std::fputs("usage: sni_inspector PORT RESOLVER\n", stderr);
    return 2;
  }
  serve_each(static_cast<std::uint16_t>(std::atoi(words[1])), [&](int client) {
    std::string stream, scratch;
    FoundName found{NameStatus::needs_more, {}};
    while (found.status == NameStatus::needs_more && stream.size() < kLongestClientHello) {
      if (!read_more(client, stream)) return;
      found = tls_client_hello(as_bytes(stream), scratch);
    }
    if (found.status == NameStatus::found) resolve(*resolver, found.name);
  });
}
