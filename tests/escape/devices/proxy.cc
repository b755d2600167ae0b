// proxy PORT [http|socks [DESTINATIONS]]
//   A proxy that lets everybody out: HTTP (CONNECT, and requests with a whole URL) and SOCKS 4 and
//   5, told apart by the first byte; with a word, only that; with a network, only to there. It
//   dials addresses: names it does not resolve.
#include <charconv>

#include "stream.h"

using namespace beaconry;
using namespace beaconry::device;

namespace {

bool http_allowed = true, socks_allowed = true;
std::optional<Cidr> destinations;

struct Place {
  std::optional<IpAddress> address;
  std::uint16_t port = 0;
};

// "203.0.113.10:443", "[2001:db8::1]:443", a port missing where one is the usual
Place place_of(std::string_view text, std::uint16_t usual) {
  Place place;
  place.port = usual;
  std::string_view host = text;
  const std::size_t bracket = text.find(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), place.port);
  }
  if (!host.empty() && host.front() == '[') host = host.substr(1, host.size() - 2);
  place.address = IpAddress::parse(host);
  return place;
}

void carry(int client, const Place& to, std::string_view yes, std::string_view no,
           std::string_view first) {
  const bool allowed = to.address && (!destinations || destinations->contains(*to.address));
  const int server = allowed ? dial(*to.address, to.port) : -1;
  if (server < 0) {
    write_all(client, no);
    return;
  }
  if (write_all(client, yes) && write_all(server, first)) splice_both(client, server);
}

void http(int client, std::string& stream) {
  std::size_t end = stream.find("\r\n\r\n");
  while (end == std::string::npos) {
    if (stream.size() > 16'384 || !read_more(client, stream)) return;
    end = stream.find("\r\n\r\n");
  }
  constexpr std::string_view kNo = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
  const std::size_t blank = stream.find(' ');
  const std::size_t after = stream.find(' ', blank + 1);
  if (blank == std::string::npos || after == std::string::npos) return;
  const std::string target = stream.substr(blank + 1, after - blank - 1);
  if (stream.compare(0, blank, "CONNECT") == 0) {
    carry(client, place_of(target, 443), "HTTP/1.1 200 Connection established\r\n\r\n", kNo,
          std::string_view(stream).substr(end + 4));
    return;
  }
  constexpr std::string_view kScheme = "http://";
  if (target.compare(0, kScheme.size(), kScheme) != 0) {
    write_all(client, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const std::size_t slash = std::min(target.find('/', kScheme.size()), target.size());
  const std::string path = slash < target.size() ? target.substr(slash) : "/";
  const std::string host = target.substr(kScheme.size(), slash - kScheme.size());
  carry(client, place_of(host, 80), "", kNo,
        stream.substr(0, blank + 1) + path + stream.substr(after));
}

// At least so many bytes.
bool need(int client, std::string& stream, std::size_t size) {
  while (stream.size() < size) {
    if (!read_more(client, stream)) return false;
  }
  return true;
}

std::uint8_t byte(const std::string& stream, std::size_t at) {
  return static_cast<std::uint8_t>(stream[at]);
}

const std::uint8_t* bytes(const std::string& stream, std::size_t at) {
  return reinterpret_cast<const std::uint8_t*>(stream.data()) + at;
}

// RFC 1928 without authentication.
void socks5(int client, std::string& stream) {
  if (!need(client, stream, 2) || !need(client, stream, 2U + byte(stream, 1))) return;
  stream.erase(0, 2U + byte(stream, 1));
  write_all(client, std::string_view("\x05\x00", 2));
  if (!need(client, stream, 10)) return;
  Place to;
  std::size_t size = 10;
  if (byte(stream, 3) == 1) {
    to.address = IpAddress::v4_bytes(bytes(stream, 4));
  } else if (byte(stream, 3) == 4) {
    size = 22;
    if (!need(client, stream, size)) return;
    to.address = IpAddress::v6_bytes(bytes(stream, 4));
  } else {
    size = 7U + byte(stream, 4);
    if (!need(client, stream, size)) return;
    to.address = IpAddress::parse(std::string_view(stream).substr(5, byte(stream, 4)));
  }
  to.port = parse_be16(bytes(stream, size - 2));
  carry(client, to, std::string_view("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10),
        std::string_view("\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00", 10),
        std::string_view(stream).substr(size));
}

void socks4(int client, std::string& stream) {
  if (!need(client, stream, 9)) return;
  std::size_t end = stream.find('\0', 8);
  while (end == std::string::npos) {
    if (stream.size() > 1024 || !read_more(client, stream)) return;
    end = stream.find('\0', 8);
  }
  const Place to{IpAddress::v4_bytes(bytes(stream, 4)), parse_be16(bytes(stream, 2))};
  carry(client, to, std::string_view("\x00\x5a\x00\x00\x00\x00\x00\x00", 8),
        std::string_view("\x00\x5b\x00\x00\x00\x00\x00\x00", 8),
        std::string_view(stream).substr(end + 1));
}

void serve(int client) {
  std::string stream;
  if (!need(client, stream, 1)) return;
  const std::uint8_t first = byte(stream, 0);
  if (first == 5 && socks_allowed) {
    socks5(client, stream);
  } else if (first == 4 && socks_allowed) {
    socks4(client, stream);
  } else if (first >= 'A' && first <= 'Z' && http_allowed) {
    http(client, stream);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count == 4) destinations = Cidr::parse(words[3]);
  if (count < 2 || count > 4 || (count == 4 && !destinations)) {
    std::fputs("usage: proxy PORT [http|socks [DESTINATIONS]]\n", stderr);
    return 2;
  }
  if (count > 2) {
    http_allowed = std::string_view(words[2]) == "http";
    socks_allowed = !http_allowed;
  }
  serve_each(static_cast<std::uint16_t>(std::atoi(words[1])), serve);
}
