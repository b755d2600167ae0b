// Any segments into the TCP client of the probe.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "escape/stack/tcp_client.h"

using namespace beaconry;  // NOLINT

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

struct Peer : TcpClient::User {
  void tcp_packet(Bytes packet) override {
    require(packet.size() >= 40 && packet.size() <= 1500);
    ++sent;
  }
  void tcp_connected() override {
    require(++connected == 1);
    client->write(Bytes(3000, 'p'));
  }
  void tcp_received(ByteView stream) override {
    require(connected == 1 && closed == 0);
    received += stream.size();
    require(received <= TcpClient::kMostReceived);
  }
  void tcp_closed(std::string_view) override { require(++closed == 1); }

  TcpClient* client = nullptr;
  int connected = 0, closed = 0;
  std::size_t received = 0, sent = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const IpAddress ours = IpAddress::v4(0x0a000109), server = IpAddress::v4(0xcb00710a);
  Peer peer;
  TcpClient client(peer, {ours, server, 50'000, 443}, 0xfffffff0, 1460);
  peer.client = &client;
  Timestamp now{std::chrono::seconds{1'795'000'000}};
  client.poll(now, false);

  // Segments: numbers near those that count, flags, options, data.
  ByteCursor input(ByteView(data, size));
  std::uint32_t theirs = 1000;
  std::size_t segments = 0;
  while (input.left() >= 6 && segments++ < 4096) {
    const std::uint8_t what = input.u8();
    TcpHeader header;
    header.source_port = 443;
    header.destination_port = 50'000;
    header.flags = input.u8();
    header.sequence = theirs + input.u8() - ((what & 8) != 0 ? 200 : 0);
    header.acknowledgement = 0xfffffff0U + input.u8() * ((what & 16) != 0 ? 16U : 1U);
    header.window = input.u16();
    if ((what & 32) != 0) header.most_segment = header.window;
    const Bytes body(input.take(std::min<std::size_t>(what & 7, input.left())).size() * 100, 'y');
    Bytes packet = ip(server, ours, kProtocolTcp, tcp(server, ours, header, body));
    if ((what & 64) != 0) packet[32] = input.u8();  // the data offset, as it likes
    const Bytes bytes = ethernet({}, {}, kEtherIpv4, packet);
    const auto frame = read_frame(bytes);
    if (frame && client.is_for_us(*frame)) client.heard(*frame);
    if ((header.flags & kTcpSyn) == 0) theirs += static_cast<std::uint32_t>(body.size());
    now += std::chrono::milliseconds((what & 128) != 0 ? 1500 : 10);
    client.poll(now, false);
    if ((what & 128) != 0 && (what & 1) != 0) client.close();
  }
  // Each segment brings a bounded answer: what waits, once, and two repeats.
  require(peer.sent <= 64 + 64 * segments);
  return 0;
}
