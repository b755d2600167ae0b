#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/ip_address.h"
#include "base/result.h"

struct nlmsghdr;

namespace beaconry {

// One netlink message that is being written: header, fixed part, attributes.
class NetlinkMessage {
 public:
  NetlinkMessage(std::uint16_t type, std::uint16_t flags);  // NLM_F_REQUEST is added

  template <class Fixed>
  void append(const Fixed& fixed) {
    append_bytes(reinterpret_cast<const char*>(&fixed), sizeof fixed);
  }
  void put(std::uint16_t attribute, std::string_view value);
  void put_text(std::uint16_t attribute, std::string_view text);  // with the final 0
  template <class Number>
  void put_number(std::uint16_t attribute, Number value) {
    put(attribute, {reinterpret_cast<const char*>(&value), sizeof value});
  }
  std::size_t begin(std::uint16_t attribute);  // a nest; returns where, for end()
  void end(std::size_t at);

  const std::string& finish(std::uint32_t sequence);  // the bytes to send

 private:
  void append_bytes(const char* bytes, std::size_t size);
  std::string bytes_;
};

// Calls `each` with every attribute of a kernel's answer.
void for_attributes(std::string_view attributes,
                    const std::function<void(std::uint16_t, std::string_view)>& each);
// The value of a fixed size; zero where the attribute is shorter.
template <class Value>
Value netlink_value(std::string_view bytes) {
  Value value{};
  if (bytes.size() >= sizeof value) bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}
std::string netlink_text(std::string_view bytes);  // up to the final 0
std::string netlink_address(const IpAddress& address);

// A netlink socket of the network namespace in which it was opened, wherever it is used from. One
// thread at a time.
class NetlinkSocket {
 public:
  NetlinkSocket() = default;
  // `groups`: what it hears of unasked (RTMGRP_*); then it is for that only and never blocks.
  static Result<NetlinkSocket> open(int protocol, std::uint32_t groups = 0);

  // Asks for a change and waits for the kernel's word; the error is errno's with `operation` and
  // `subject`.
  Result<void> change(NetlinkMessage& message, const std::string& operation,
                      const std::string& subject);
  // Asks for all, or one, and calls `each` with what comes after the fixed part of every answer.
  using Each = std::function<void(const nlmsghdr&, const char* body)>;
  Result<void> ask(NetlinkMessage& message, const std::string& operation,
                   const std::string& subject, const Each& each);
  bool drain();                         // of an open with groups: whether anything had come
  int error() const { return error_; }  // errno's number of the last change or question; 0: done
  int descriptor() const { return socket_.get(); }

 private:
  bool send(NetlinkMessage& message);
  void receive(std::vector<std::string>& answers);
  Fd socket_;
  std::uint32_t sequence_ = 0;
  int error_ = 0;
};

}  // namespace beaconry
