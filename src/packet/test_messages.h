#pragma once
// Messages for tests, built byte by byte by the RFCs rather than with the code under test.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "packet/found_name.h"

namespace beaconry::test_messages {

using Bytes = std::vector<std::uint8_t>;

inline void put(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

inline void put(Bytes& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

inline Bytes bytes_of(std::string_view text) {
  return Bytes(text.begin(), text.end());
}

inline Bytes from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return out;
}

// A ClientHello handshake message; no SNI extension if `name` is empty. `padding` makes it longer.
inline Bytes client_hello_message(std::string_view name, std::size_t padding = 0) {
  Bytes extensions;
  put(extensions, 0x000a0004, 4);  // supported_groups, before SNI: extensions come in any order
  put(extensions, 0x0002001d, 4);
  if (!name.empty()) {
    put(extensions, 0, 2);
    put(extensions, name.size() + 5, 2);
    put(extensions, name.size() + 3, 2);
    put(extensions, 0, 1);
    put(extensions, name.size(), 2);
    put(extensions, name);
  }
  if (padding > 0) {
    put(extensions, 21, 2);
    put(extensions, padding, 2);
    extensions.insert(extensions.end(), padding, 0);
  }
  Bytes body;
  put(body, 0x0303, 2);
  body.insert(body.end(), 32, 0x5a);
  put(body, 0, 1);
  put(body, 0x00021301, 4);
  put(body, 0x0100, 2);
  put(body, extensions.size(), 2);
  body.insert(body.end(), extensions.begin(), extensions.end());
  Bytes message;
  put(message, 1, 1);
  put(message, body.size(), 3);
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

// A handshake message in TLS records of at most `record` bytes each.
inline Bytes in_records(const Bytes& message, std::size_t record = 16'384) {
  Bytes out;
  for (std::size_t at = 0; at < message.size(); at += record) {
    const std::size_t size = std::min(record, message.size() - at);
    put(out, 0x160301, 3);
    put(out, size, 2);
    out.insert(out.end(), message.begin() + static_cast<std::ptrdiff_t>(at),
               message.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
  return out;
}

inline Bytes client_hello(std::string_view name, std::size_t padding = 0) {
  return in_records(client_hello_message(name, padding));
}

inline void put_dns_name(Bytes& out, std::string_view name) {
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    put(out, label.size(), 1);
    put(out, label);
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  put(out, 0, 1);
}

inline Bytes dns_query(std::string_view name, std::uint16_t type = 1) {
  Bytes out;
  put(out, 0x1234'0100'0001, 6);
  put(out, 0, 6);
  put_dns_name(out, name);
  put(out, type, 2);
  put(out, 1, 2);
  return out;
}

// The answer to a query for an A record: a CNAME, then `address`, names compressed.
inline Bytes dns_answer(std::string_view name, std::uint32_t address) {
  Bytes out;
  put(out, 0x1234'8180'0001'0002, 8);
  put(out, 0, 4);
  put_dns_name(out, name);
  put(out, 0x00010001, 4);
  put(out, 0xc00c'0005'0001, 6);
  put(out, 300, 4);
  put(out, 4, 2);
  put(out, 0x0161'c00c, 4);  // "a" under the question's name
  put(out, 0xc00c'0001'0001, 6);
  put(out, 300, 4);
  put(out, 4, 2);
  put(out, address, 4);
  return out;
}

struct DhcpFields {
  std::uint8_t kind = 3;
  std::string host_name{};
  std::uint32_t client = 0, yours = 0, requested = 0;
};

inline Bytes dhcp(const DhcpFields& fields) {
  Bytes out(236);
  out[0] = fields.kind == 5 || fields.kind == 2 ? 2 : 1;
  for (std::size_t i = 0; i < 4; ++i) {
    out[12 + i] = static_cast<std::uint8_t>(fields.client >> (24 - 8 * i));
    out[16 + i] = static_cast<std::uint8_t>(fields.yours >> (24 - 8 * i));
  }
  put(out, 0x63825363, 4);
  put(out, 0x3501U << 8 | fields.kind, 3);
  if (fields.requested != 0) put(out, 0x3204ULL << 32 | fields.requested, 6);
  if (!fields.host_name.empty()) {
    put(out, 12, 1);
    put(out, fields.host_name.size(), 1);
    put(out, fields.host_name);
  }
  put(out, 255, 1);
  return out;
}

}  // namespace beaconry::test_messages
