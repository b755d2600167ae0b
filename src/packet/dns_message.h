#pragma once
#include <array>
#include <cstddef>
#include <string_view>

#include "base/ip_address.h"
#include "packet/found_name.h"

namespace beaconry {

constexpr std::size_t kLongestDnsName = 255;  // RFC 1035 §2.3.4
constexpr std::size_t kMostDnsAnswers = 32;   // the rest of a longer answer is not kept

// What a DNS message says: what was asked and which addresses were the answer. No allocation: keep
// one and parse into it.
class DnsMessage {
 public:
  // False where this is no DNS message. One that ends early after its question counts: datagrams
  // are cut by snap lengths.
  bool parse(ByteView message);

  bool is_response() const { return response_; }
  // The first question's name without its final dot, as sent but with bytes that are not visible
  // ASCII, and dots inside labels, as '?'. Empty for the root or where there is no question.
  std::string_view question() const { return {name_.data(), name_size_}; }
  std::uint16_t question_type() const { return question_type_; }
  // A and AAAA records of the answer, whatever alias they stand under.
  std::size_t address_count() const { return address_count_; }
  const IpAddress& address(std::size_t at) const { return addresses_[at]; }

 private:
  bool read_question(ByteView message, std::size_t& at);

  bool response_ = false;
  std::uint16_t question_type_ = 0;
  std::size_t name_size_ = 0;
  std::size_t address_count_ = 0;
  std::array<char, kLongestDnsName> name_{};
  std::array<IpAddress, kMostDnsAnswers> addresses_{};
};

}  // namespace beaconry
