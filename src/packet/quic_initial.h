#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "packet/found_name.h"
#include "packet/reassembly.h"

namespace beaconry {

// Could this datagram begin a QUIC connection (v1 of RFC 9000, v2 of RFC 9369)? From its first five
// bytes.
bool looks_like_quic_initial(ByteView datagram);

// Reads the server name out of the Initial packets of one client. They are encrypted, but with keys
// that follow from the connection id in them (RFC 9001 §5.2). The hello may be spread over several
// datagrams and its pieces lie in any order.
class QuicInitialReader {
 public:
  // `needs_more` until the hello is whole; `other` where the datagram is not an Initial or does not
  // decrypt. The name lives until the next call.
  FoundName add(ByteView datagram);

  std::size_t memory() const { return plain_.capacity() + hello_.memory(); }  // beyond its own size

 private:
  struct Keys {
    std::array<std::uint8_t, 16> packet;
    std::array<std::uint8_t, 12> iv;
    std::array<std::uint8_t, 16> header;
  };
  struct Header {
    std::uint32_t version;
    ByteView connection_id;
    std::size_t number_at;  // where the packet number stands
    std::size_t end;        // of this packet in the datagram
  };

  static bool read_header(ByteView datagram, Header& header);
  static bool derive(std::uint32_t version, ByteView connection_id, Keys& keys);
  bool decrypt(ByteView datagram, const Header& header, const Keys& keys);
  bool read_frames();

  bool has_keys_ = false;
  Keys keys_{};
  std::vector<std::uint8_t> plain_;  // the frames of the last packet decrypted
  Reassembly hello_{16'384};
};

}  // namespace beaconry
