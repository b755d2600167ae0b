#pragma once
#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "escape/stack/frame.h"

namespace beaconry {

// One outgoing TCP connection (RFC 9293), as small as it can be: its SYN says an MSS, every segment
// is sent again at most kMostRepeats times, data is taken in order only, and what is written waits
// until the budget has let the last segment out. Bounded both ways. Does not read a clock. One
// thread.
class TcpClient {
 public:
  static constexpr std::size_t kMostUnsent = 32 << 10, kMostReceived = 256 << 10;
  static constexpr int kMostRepeats = 2;

  // Who hears of it; outlives the client. A callback may call write() and close().
  class User {
   public:
    virtual ~User() = default;
    virtual void tcp_packet(Bytes packet) = 0;  // an IP packet to send
    virtual void tcp_connected() = 0;
    virtual void tcp_received(ByteView stream) = 0;
    virtual void tcp_closed(std::string_view why) = 0;  // once; nothing comes after it
  };
  struct Ends {
    IpAddress source, destination;
    std::uint16_t source_port = 0, port = 0;
  };
  // `most_segment`: what our link takes. The first SYN leaves at the next poll().
  TcpClient(User& user, const Ends& ends, std::uint32_t first_sequence, std::uint16_t most_segment);

  bool is_for_us(const Frame& frame) const;
  void heard(const Frame& frame);  // REQUIRES is_for_us()
  // False: more than kMostUnsent wait, or the connection is over; nothing was taken.
  bool write(ByteView stream);
  void close();  // once all is sent
  // Sends what is due. `waiting`: packets of ours have not left yet, so that no time counts.
  void poll(Timestamp now, bool waiting);
  Timestamp due() const { return repeat_at_; }  // kLatest: none

  bool is_connected() const { return state_ == State::connected; }
  // Nothing more will be sent or is awaited.
  bool is_over() const;

 private:
  enum class State : std::uint8_t { opening, connected, over };

  void packet(std::uint8_t flags, std::uint32_t sequence, ByteView payload);
  void read_synchronized(const Frame& frame, std::uint32_t sequence, std::uint32_t acknowledged);
  void take_acknowledgement(std::uint32_t acknowledged);
  void take_data(std::uint32_t sequence, ByteView data, bool fin);
  void send_new();
  void repeat();
  void end(std::string_view why);

  User& user_;
  Ends ends_;
  State state_ = State::opening;
  std::uint32_t first_, acknowledged_, next_;  // ours: ISN, oldest unacknowledged, next to send
  std::uint32_t expected_ = 0;                 // theirs
  std::uint16_t our_segment_, segment_;
  std::uint32_t window_ = 0;
  Bytes out_;  // from acknowledged_ on
  std::size_t received_ = 0;
  bool begun_ = false, closing_ = false, fin_sent_ = false, fin_heard_ = false;
  bool answer_due_ = false, closed_told_ = false;
  int repeats_ = 0;
  Timestamp repeat_at_ = kLatest;
  bool armed_ = false;  // something is unacknowledged
};

}  // namespace beaconry
