#pragma once
// Writers of captures for tests, by the formats' drafts.
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace beaconry::test_capture {

inline std::string number(std::uint64_t value, int bytes, bool big) {
  std::string out;
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(value >> (8 * (big ? bytes - 1 - i : i))));
  return out;
}

class PcapWriter {
 public:
  explicit PcapWriter(std::uint32_t magic = 0xa1b2c3d4, bool big = false, std::uint32_t link = 1)
      : big_(big), long_header_(magic == 0xa1b2cd34) {
    put(magic, 4), put(2, 2), put(4, 2), put(0, 8), put(0xffffffff, 4), put(link, 4);
  }
  void packet(std::uint32_t seconds, std::uint32_t fraction, const std::string& content,
              std::uint32_t wire) {
    put(seconds, 4), put(fraction, 4), put(content.size(), 4), put(wire, 4);
    if (long_header_) put(0, 8);
    bytes += content;
  }
  std::string bytes;

 private:
  void put(std::uint64_t value, int size) { bytes += number(value, size, big_); }
  bool big_, long_header_;
};

class PcapngWriter {
 public:
  using Options = std::vector<std::pair<std::uint16_t, std::string>>;

  explicit PcapngWriter(bool big) : big_(big) {}

  std::string number(std::uint64_t value, int size) const {
    return test_capture::number(value, size, big_);
  }
  void section() {
    block(0x0a0d0d0a, number(0x1a2b3c4d, 4) + number(1, 2) + number(0, 2) + number(UINT64_MAX, 8));
  }
  void interface(std::uint16_t link, const Options& options) {
    std::string body = number(link, 2) + number(0, 2) + number(0, 4);
    for (const auto& [code, value] : options)
      body += number(code, 2) + number(value.size(), 2) + padded(value);
    if (!options.empty()) body += number(0, 4);
    block(1, body);
  }
  void enhanced(std::uint32_t interface, std::uint64_t ticks, const std::string& content,
                std::uint32_t wire) {
    block(6, number(interface, 4) + number(ticks >> 32, 4) + number(ticks & 0xffffffff, 4) +
                 number(content.size(), 4) + number(wire, 4) + padded(content));
  }
  void old_packet(std::uint16_t interface, std::uint64_t ticks, const std::string& content) {
    block(2, number(interface, 2) + number(3, 2) + number(ticks >> 32, 4) +
                 number(ticks & 0xffffffff, 4) + number(content.size(), 4) +
                 number(content.size(), 4) + padded(content));
  }
  void simple(const std::string& content, std::uint32_t wire) {
    block(3, number(wire, 4) + content);
  }
  void block(std::uint32_t type, const std::string& body) {
    const std::string content = padded(body);
    const std::string length = number(content.size() + 12, 4);
    bytes += number(type, 4) + length + content + length;
  }
  std::string bytes;

 private:
  static std::string padded(std::string text) {
    text.resize((text.size() + 3) / 4 * 4);
    return text;
  }
  bool big_;
};

}  // namespace beaconry::test_capture
