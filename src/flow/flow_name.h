#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flow/flow_event.h"
#include "packet/dns_message.h"
#include "packet/quic_initial.h"
#include "packet/reassembly.h"

namespace beaconry {

// What is known of a flow's server name. Part of a flow; read and written by FlowNameReader.
struct FlowName {
  // A message of which only a part has come.
  struct Pending {
    // `total` is what all of a reader hold, and outlives this.
    Pending(std::size_t capacity, std::size_t& total) : stream(capacity), total_(total) {}
    ~Pending() { total_ -= counted_; }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    // Counts what this takes now into the total.
    void count() {
      const std::size_t now = sizeof *this + stream.memory() + quic.memory();
      total_ += now - counted_;
      counted_ = now;
    }

    Reassembly stream;
    std::uint32_t first_sequence = 0;
    QuicInitialReader quic;

   private:
    std::size_t& total_;
    std::size_t counted_ = 0;
  };
  std::unique_ptr<Pending> pending;
  NameKind kind = NameKind::none;
  bool settled = false;        // nothing more is to be learnt
  std::uint8_t looked_at = 0;  // payloads of the opener without a name so far
  std::string text;            // normalised; empty while unknown

  void clear() {  // keeps the text's memory for the next flow
    text.clear();
    kind = NameKind::none;
    settled = false;
    looked_at = 0;
    pending.reset();
  }
};

// Reads server names out of payloads: TLS SNI, HTTP Host and CONNECT target on any TCP port, QUIC
// SNI, DNS questions on port 53. What DNS answers and DHCP say of addresses goes to the sink.
class FlowNameReader {
 public:
  // Parts of messages that wait for the rest take at most `most_pending_bytes`; a flow whose part
  // does not fit stays without a name. The flows' names must not outlive the reader.
  FlowNameReader(FlowSink& sink, std::size_t most_pending_bytes)
      : sink_(sink), most_pending_bytes_(most_pending_bytes) {}

  struct Payload {
    ByteView bytes;  // as captured
    bool from_opener = true;
    std::uint16_t opener_port = 0, responder_port = 0;
    std::uint32_t sequence = 0;        // TCP: of its first byte
    bool at_start = false;             // TCP: the handshake was seen
    std::uint32_t start_sequence = 0;  // then, of the stream's first byte
    Timestamp time{};
  };

  // A name read from one payload. A later request of the same connection replaces an earlier one's;
  // CONNECT target beats SNI beats Host. `text` lives until the next call.
  struct Learnt {
    NameKind kind = NameKind::none;
    std::string_view text;
  };
  // What a payload of this protocol says that is better than what is known or, in DNS, another
  // domain than the one known. The caller keeps it in `name`.
  Learnt read(FlowName& name, std::uint32_t protocol, const Payload& payload);

  Learnt read_tcp(FlowName& name, const Payload& payload);
  Learnt read_udp(FlowName& name, const Payload& payload);

  // DHCP is told by the ports, whoever opened: (67, 68) in either order.
  void read_dhcp(ByteView bytes, Timestamp time);

  std::size_t pending_bytes() const { return pending_bytes_; }
  std::uint64_t given_up() const { return given_up_; }  // flows without a name for lack of memory

 private:
  Learnt read_stream(FlowName& name, ByteView stream, bool in_pieces, bool& wants_more);
  Learnt read_dns(ByteView message, const Payload& payload);
  Learnt learnt(NameKind kind, std::string_view raw);

  // To be called when a part was kept.
  void bound_pending(FlowName& name);

  FlowSink& sink_;
  std::size_t most_pending_bytes_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t given_up_ = 0;
  DnsMessage dns_;
  std::string scratch_, normalised_;
};

}  // namespace beaconry
