#pragma once
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "packet/craft.h"

namespace beaconry {

// Writes nftables' netlink messages (linux/netfilter/nf_tables.h): one batch that the kernel takes
// or refuses as a whole. Only what home's table needs.
class NftMessages {
 public:
  enum class Hook : std::uint8_t { input = 1, output = 3 };

  explicit NftMessages(std::string_view table);

  // The table, with the flag `owner`: it goes with the socket that sends this.
  void add_table();
  void add_chain(std::string_view name, Hook hook, std::int32_t priority);

  // A rule is begun, gets its matches and is ended by its verdict: all that match are dropped.
  void begin_rule(std::string_view chain);
  void match_transport(std::uint8_t protocol);
  void match_bytes(std::uint32_t transport_offset, ByteView value);
  // One byte of the transport header, after `mask`.
  void match_bits(std::uint32_t transport_offset, std::uint8_t mask, std::uint8_t value);
  void end_rule_with_drop();

  // Sends the batch over a netlink socket of NETLINK_NETFILTER and reads what became of it.
  Result<void> commit(int socket);

 private:
  std::size_t begin_message(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                            std::uint16_t resource);
  std::size_t begin_change(std::uint16_t what);
  void end_message(std::size_t at);
  void put_attribute(std::uint16_t type, ByteView value);
  void put_text(std::uint16_t type, std::string_view text);
  void put_number(std::uint16_t type, std::uint32_t value);  // network order
  std::size_t begin_nest(std::uint16_t type);
  void end_nest(std::size_t at);
  std::size_t begin_expression(std::string_view name, std::size_t& data);
  void end_expression(std::size_t at, std::size_t data);
  void load_bytes(std::uint32_t transport_offset, std::uint32_t length);
  void compare(ByteView value);

  std::string_view table_;
  Bytes bytes_;
  std::uint32_t sequence_ = 0;
  unsigned changes_ = 0;
  std::size_t rule_ = 0, expressions_ = 0;
};

}  // namespace beaconry
