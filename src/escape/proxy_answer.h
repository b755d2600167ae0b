#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packet/found_name.h"

namespace beaconry {

// The head of an HTTP/1 answer (RFC 9112): its status and where its body begins.
constexpr std::size_t kLongestAnswerHead = 8'192;
struct HttpAnswerHead {
  enum class Status : std::uint8_t { found, needs_more, other } status = Status::other;
  unsigned code = 0;
  std::size_t size = 0;                    // with the empty line
  std::optional<std::uint64_t> body_size;  // Content-Length
};
HttpAnswerHead read_http_answer(ByteView stream);

// The answers of SOCKS servers: RFC 1928 §3 and §6, and SOCKS 4. `size` is how long the answer is,
// 0 as long as more of it must come.
struct SocksAnswer {
  bool granted = false;
  std::size_t size = 0;
};
SocksAnswer read_socks5_greeting(ByteView stream);
SocksAnswer read_socks5_answer(ByteView stream);
SocksAnswer read_socks4_answer(ByteView stream);

// "http://host:port/path"; nothing of another scheme or a host that cannot be one.
struct HttpUrl {
  std::string host;  // a name or an address without brackets
  std::uint16_t port = 80;
  std::string path;
};
std::optional<HttpUrl> parse_http_url(std::string_view text);

// The proxies that a proxy auto-configuration names literally, "PROXY host:port" and "SOCKS
// host:port", in its order, each once, at most kMostPacProxies. The script is not run: what it
// computes is not found.
constexpr std::size_t kMostPacProxies = 8;
constexpr std::size_t kLongestPac = 64 * 1024;
struct PacProxy {
  std::string host;
  std::uint16_t port = 0;
  bool socks = false;
  friend bool operator==(const PacProxy&, const PacProxy&) = default;
};
std::vector<PacProxy> pac_proxies(std::string_view script);

}  // namespace beaconry
