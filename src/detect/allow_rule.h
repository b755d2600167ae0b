#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "detect/name_pattern.h"
#include "flow/pair_key.h"

namespace beaconry {

// What one entry of an allow-list asks of a pair. Every condition that is set must hold.
struct AllowRule {
  std::optional<Cidr> either_end;
  std::optional<Cidr> source;
  std::optional<Cidr> destination;
  std::optional<NamePattern> name;  // of the server
  std::optional<std::uint16_t> port;
  std::optional<Protocol> protocol;

  // `server_name` is normalised, or empty where the pair has none.
  bool covers(const PairKey& pair, std::string_view server_name) const;

  // Reads one entry; kAllowListHelp lists the forms. The error's cause says what to write instead.
  static Result<AllowRule> parse(std::string_view entry);
};

constexpr std::size_t kLongestAllowEntry = 512;

inline constexpr std::string_view kAllowListHelp =
    R"(One entry a line; # begins a comment. An entry is one of
  10.0.0.5  2001:db8::1      an address, at either end
  10.0.0.0/8  10.0.*         a block of addresses, at either end
  src=10.0.0.5  dst=10.0.0.0/8
                             the same at one end only
  53  :53  53/udp            a destination port
  203.0.113.9:443  [2001:db8::1]:443  example.com:443
                             a destination and its port
  10.0.0.5:203.0.113.9:443   source, destination and port; * stands for any, IPv6 in brackets,
  *:*.example.com:443/tcp    the destination may be a name, a protocol may follow
  10.0.0.5->203.0.113.9:443/TCP
                             a pair's key, as Beaconry prints it
  www.example.com            this server name alone
  *.example.com              every name below it (a.example.com, a.b.example.com), but not
                             example.com itself
  .example.com               example.com and every name below it
  cdn?.*.example.com         * stands for any characters, dots included; ? for exactly one
Case does not matter. Names are TLS SNI, HTTP Host, CONNECT targets and DNS domains.)";

}  // namespace beaconry
