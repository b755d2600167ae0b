#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "http/tls_context.h"

namespace beaconry {

// One connection's bytes, plain or in TLS, on a non-blocking socket: nothing here waits. Whoever
// uses it waits for the socket as the outcome says and calls again.
class Stream {
 public:
  enum class Status {
    ok,
    want_read,
    want_write,
    closed,  // by the other side, in order
    failed   // error() says why
  };
  struct Moved {
    Status status = Status::ok;
    std::size_t bytes = 0;  // at least one where ok
  };

  explicit Stream(Fd socket);
  static Stream accept(Fd socket, const TlsContext& context);
  // `name`: what the certificate must be for, a DNS name or an address; empty: anything.
  static Stream connect(Fd socket, const TlsContext& context, const std::string& sni,
                        const std::string& name);
  ~Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;

  bool is_tls() const { return ssl_ != nullptr; }
  Moved peek(char& first);  // the next byte, left where it is. REQUIRES !is_tls()
  Moved handshake();        // TLS only, until it is ok; then the others
  Moved read(std::span<char> into);
  Moved write(std::string_view bytes);
  void say_goodbye();  // that nothing more will be sent: TLS's word, then the socket's
  Moved read_raw(std::span<char> into);  // past TLS, after say_goodbye()
  void drop_tls();                       // for a last word to a client that speaks none

  int socket() const { return socket_.get(); }
  Fd release() { return std::move(socket_); }  // REQUIRES !is_tls()
  const std::string& error() const { return error_; }
  bool met_plain_http() const { return met_plain_http_; }  // instead of TLS, in the handshake
  std::string peer_key() const;                            // as HttpPeer::key
  // PEM of the certificate in the peer's chain that has this fingerprint; else empty.
  std::string peer_certificate(const std::string& fingerprint_hex) const;

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  Moved outcome(int returned);
  Moved failed(int error_number);

  Fd socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::string error_;
  bool met_plain_http_ = false;
};

}  // namespace beaconry
