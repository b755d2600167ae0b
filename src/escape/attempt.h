#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "escape/method.h"
#include "escape/outbox.h"
#include "escape/stack/tcp_client.h"

namespace beaconry {

class Attempt;

// What an attempt needs of the probe.
class AttemptHost {
 public:
  virtual ~AttemptHost() = default;
  virtual const ProbeConfig& config() const = 0;
  virtual const Segment& segment() const = 0;
  virtual const InterfaceFacts& facts() const = 0;
  virtual Timestamp now() const = 0;          // never jumps: to wait by
  virtual Timestamp time_of_day() const = 0;  // may
  virtual std::uint32_t random() = 0;
  virtual ProbeId id() const = 0;
  virtual const SharedKey& key_for(const Try& made) const = 0;
  virtual void put(Outgoing out) = 0;
  // An IP packet: through `hop`, or the usual way to its destination.
  virtual void put_ip(Outgoing packet, const IpAddress& destination, const IpAddress& hop) = 0;
  // False: somebody has it.
  virtual bool claim_port(std::uint8_t protocol, std::uint16_t port, Attempt& by) = 0;
  virtual void left(Attempt& attempt) = 0;      // its first frame
  virtual void answered(Attempt& attempt) = 0;  // home was reached and answered
};

// One try under way: the Wire that its method speaks by, its conversation if it goes on, and its
// TCP connection. It is over when nothing of it waits and nothing is awaited; no time counts
// against it while its frames wait for the budget. One thread.
class Attempt : public Wire, public TcpClient::User {
 public:
  // `host` and the method outlive this. Not to be moved: frames on their way know its address, so
  // it must not go before waiting() is 0.
  Attempt(AttemptHost& host, const Try& made);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void start();
  void poll();
  // A packet to one of our ports that this attempt claimed, or to its connection. True: taken.
  bool arrived(const Frame& frame);
  void abandon();  // nothing more comes of it

  bool is_over() const;
  Timestamp due() const;  // kLatest: nothing is timed
  bool talks() const { return conversation_ != nullptr; }
  bool has_left() const { return left_; }
  std::size_t waiting() const { return waiting_; }
  // Why nothing left; where something did, it is of no use.
  const std::string& failure() const { return failure_; }

  const Scope& scope() const override { return scope_; }
  const Try& current() const override { return try_; }
  Timestamp now() const override { return host_.time_of_day(); }
  const MacAddress& mac() const override { return host_.facts().mac; }
  Bytes ping() override;
  const SharedKey& key() const override { return host_.key_for(try_); }
  std::uint32_t random() override { return host_.random(); }
  std::optional<IpAddress> source_for(const IpAddress& destination) const override;
  void send_ip(Bytes packet) override;
  void send_ip_via(Bytes packet, const IpAddress& neighbour) override;
  void send_frame(Bytes frame) override;
  std::uint16_t claim_port(std::uint8_t protocol) override;
  void connect(const IpAddress& destination, std::uint16_t port, const IpAddress& via) override;
  void write(Bytes stream) override;
  void close() override;
  void set_timeout(std::chrono::milliseconds after) override { timeout_ = after; }
  bool take_reply(ByteView bytes) override;
  bool take_proof(const ReplyProof& proof) override;

 private:
  static constexpr std::size_t kMostFrames = 256, kMostNonces = 8;
  static constexpr int kMostTimeouts = 16;

  void tcp_packet(Bytes packet) override;
  void tcp_connected() override;
  void tcp_received(ByteView stream) override;
  void tcp_closed(std::string_view why) override;

  void send_packet(Bytes packet, const IpAddress& hop);
  Outgoing outgoing(Bytes frame);
  void time_out();
  bool is_talking() const { return conversation_ && !conversation_->is_done(); }
  bool take_answer();

  AttemptHost& host_;
  Try try_;
  Scope scope_;
  std::unique_ptr<Conversation> conversation_;
  std::unique_ptr<TcpClient> tcp_, former_tcp_;
  IpAddress tcp_via_;
  std::string tcp_refused_;  // told to the conversation at the next poll
  std::deque<Nonce> nonces_;
  std::chrono::milliseconds timeout_{5000};
  Timestamp deadline_ = kLatest, linger_until_ = kLatest;
  std::size_t waiting_ = 0, frames_ = 0;
  int timeouts_ = 0;
  bool left_ = false, answered_ = false;
  std::string failure_;
};

}  // namespace beaconry
