#include "source/simulate/payload.h"

#include <algorithm>

#include "base/text.h"

namespace beaconry::simulate {
namespace {

void append16(std::string& text, std::size_t value) {
  text += static_cast<char>(value >> 8);
  text += static_cast<char>(value);
}

void append_noise(std::string& text, std::size_t length, std::uint64_t seed) {
  Random random(seed);
  for (std::size_t i = 0; i < length; ++i)
    text += static_cast<char>(random.next() >> 24);
}

// Fills up to `size` bytes with TLS application data (RFC 8446 §5.1).
void append_records(std::string& text, std::size_t size, std::uint64_t seed) {
  while (text.size() + 6 < size) {
    const std::size_t length = std::min<std::size_t>(size - text.size() - 5, 1 << 14);
    text.append("\x17\x03\x03", 3);
    append16(text, length);
    append_noise(text, length, mix(seed, text.size()));
  }
}

void append_extension(std::string& text, std::size_t type, const std::string& body) {
  append16(text, type);
  append16(text, body.size());
  text += body;
}

std::string handshake(char type, const std::string& body) {
  std::string text("\x16\x03\x01", 3);
  append16(text, body.size() + 4);
  text += type;
  text += '\0';
  append16(text, body.size());
  return text + body;
}

std::string client_hello(const std::string& name, std::uint64_t seed) {
  std::string body("\x03\x03", 2);
  append_noise(body, 32, seed);
  body.append("\x20", 1);
  append_noise(body, 32, seed + 1);
  body.append("\x00\x06\x13\x01\x13\x02\xc0\x2f\x01\x00", 10);
  std::string extensions;
  if (!name.empty()) {
    std::string list;
    append16(list, name.size() + 3);
    list += '\0';
    append16(list, name.size());
    append_extension(extensions, 0, list + name);
  }
  append_extension(extensions, 10, std::string("\x00\x04\x00\x1d\x00\x17", 6));
  append_extension(extensions, 13, std::string("\x00\x04\x04\x03\x08\x04", 6));
  append_extension(extensions, 16, std::string("\x00\x03\x02h2", 5));
  append_extension(extensions, 43, std::string("\x02\x03\x04", 3));
  append16(body, extensions.size());
  return handshake('\x01', body + extensions);
}

std::string server_hello(std::uint64_t seed) {
  std::string body("\x03\x03", 2);
  append_noise(body, 32, seed);
  body.append("\x00\x13\x01\x00", 4);
  std::string extensions;
  append_extension(extensions, 43, std::string("\x03\x04", 2));
  append16(body, extensions.size());
  return handshake('\x02', body + extensions);
}

std::string with_body(std::string head, std::size_t size, std::uint64_t seed) {
  const std::size_t length = size > head.size() + 24 ? size - head.size() - 24 : 0;
  head.append("Content-Length: ").append(std::to_string(length)).append("\r\n\r\n");
  append_noise(head, length, seed);
  return head;
}

// Every datagram as one of a connection that is already up (RFC 9000 §17.3): the fixed bit set,
// the long-header bit not.
void mark_quic(std::string& text) {
  for (std::size_t at = 0; at < text.size(); at += kLongestSegment) {
    text[at] = static_cast<char>((text[at] & 0x3f) | 0x40);
  }
}

void append_dns_name(std::string& text, const std::string& name) {
  for (const std::string_view label : split(name, '.')) {
    text += static_cast<char>(label.size());
    text += label;
  }
  text += '\0';
}

std::string dns_message(const std::string& name, const SimulatedFlow& flow, bool answered) {
  const bool four = flow.answer.is_v4();
  std::string text;
  append16(text, mix(flow.id, 7) & 0xffff);
  append16(text, answered ? 0x8180 : 0x0100);
  append16(text, 1);
  append16(text, answered ? 1 : 0);
  append16(text, 0);
  append16(text, 0);
  append_dns_name(text, name);
  append16(text, four ? 1 : 28);
  append16(text, 1);
  if (!answered) return text;
  append16(text, 0xc00c);  // the question's name
  append16(text, four ? 1 : 28);
  append16(text, 1);
  append16(text, 0);
  append16(text, 60);
  const auto& bytes = flow.answer.bytes();
  append16(text, four ? 4 : 16);
  text.append(reinterpret_cast<const char*>(bytes.data()) + (four ? 12 : 0), four ? 4 : 16);
  return text;
}

}  // namespace

Payload payload_of(const Traffic& traffic, const SimulatedFlow& flow) {
  const std::string& name = traffic.names[flow.name];
  const auto out = std::min<std::size_t>(flow.bytes_out, kLongestPayload);
  const auto in = std::min<std::size_t>(flow.bytes_in, kLongestPayload);
  Payload payload;
  switch (flow.service) {
    case Service::tls:
      payload.out = client_hello(name, mix(flow.id, 1));
      append_records(payload.out, out, mix(flow.id, 2));
      payload.in = server_hello(mix(flow.id, 3));
      append_records(payload.in, in, mix(flow.id, 4));
      break;
    case Service::http: {
      const bool upload = flow.bytes_out > 2 * flow.bytes_in;
      payload.out.append(upload ? "POST" : "GET").append(" /status HTTP/1.1\r\nHost: ");
      payload.out.append(name.empty() ? flow.destination.to_string() : name).append("\r\n");
      if (upload) {
        payload.out = with_body(std::move(payload.out), out, mix(flow.id, 2));
      } else {
        payload.out.append("Cookie: ");
        if (out > payload.out.size() + 4) payload.out.append(out - payload.out.size() - 4, 'c');
        payload.out.append("\r\n\r\n");
      }
      payload.in = with_body("HTTP/1.1 200 OK\r\n", in, mix(flow.id, 4));
      break;
    }
    case Service::dns:
      payload.out = dns_message(name, flow, false);
      payload.in = dns_message(name, flow, true);
      break;
    case Service::ntp:
      payload.out.assign(48, '\0');
      payload.out[0] = '\x23';
      payload.in = payload.out;
      payload.in[0] = '\x24';
      payload.in[1] = '\x02';
      break;
    default:
      append_noise(payload.out, out, mix(flow.id, 2));
      append_noise(payload.in, in, mix(flow.id, 4));
      if (flow.service == Service::quic) {
        mark_quic(payload.out);
        mark_quic(payload.in);
      }
      break;
  }
  return payload;
}

}  // namespace beaconry::simulate
