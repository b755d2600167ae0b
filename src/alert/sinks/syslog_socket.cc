#include "alert/sinks/syslog_socket.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/fd.h"
#include "base/ip_address.h"
#include "base/text.h"

namespace beaconry {
namespace {

enum class Transport : unsigned char { unix_socket, udp, tcp, tls };

struct Address {
  Transport transport = Transport::unix_socket;
  std::string text;  // as configured
  std::string host;  // or the Unix socket's path
  std::string port;
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

tl::unexpected<Error> failed(const Address& address, std::string cause) {
  return fail(ErrorKind::io, "send to", "syslog " + address.text, std::move(cause));
}

tl::unexpected<Error> failed_errno(const Address& address) {
  return failed(address, std::strerror(errno));
}

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
  return words == nullptr ? "the TLS connection failed" : words;
}

// Waits until the socket can do what is asked; false when the time is over.
bool ready(int fd, short events, std::chrono::steady_clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd poll{fd, events, 0};
    const int count = ::poll(&poll, 1, static_cast<int>(left.count()));
    if (count > 0) return true;
    if (count == 0 || errno != EINTR) return false;
  }
}

class Socket : public SyslogSocket {
 public:
  Socket(Address address, std::unique_ptr<SSL_CTX, FreeSsl> context,
         std::chrono::milliseconds timeout)
      : address_(std::move(address)), context_(std::move(context)), timeout_(timeout) {}

  Result<void> send(std::string_view message) override {
    if (fd_ && stream() && has_ended()) close();
    if (!fd_) {
      if (auto connected = connect(); !connected) return connected;
    }
    Result<void> sent;
    if (stream()) {
      std::string framed = std::to_string(message.size()) + ' ';
      framed += message;
      sent = address_.transport == Transport::tls ? send_tls(framed) : send_bytes(framed);
    } else {
      sent = send_bytes(message);
    }
    if (!sent) close();
    return sent;
  }

 private:
  bool stream() const {
    return address_.transport == Transport::tcp || address_.transport == Transport::tls;
  }

  void close() {
    ssl_.reset();
    fd_.reset();
  }

  // Collectors send nothing: an end or an error is all that can be read.
  bool has_ended() const {
    char byte = 0;
    const ssize_t count = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0) return address_.transport == Transport::tcp ? false : tls_has_ended();
    return count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }

  // TLS 1.3 sends session tickets after the handshake: only reading tells them from a goodbye.
  bool tls_has_ended() const {
    char byte = 0;
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), &byte, 1);
    if (count > 0) return false;
    const int why = SSL_get_error(ssl_.get(), count);
    ERR_clear_error();
    return why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
  }

  Result<void> connect() {
    return address_.transport == Transport::unix_socket ? connect_unix() : connect_network();
  }

  Result<void> connect_unix() {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address_.host.copy(to.sun_path, sizeof to.sun_path - 1);
    // /dev/log is a datagram socket as a rule; some daemons offer a stream.
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (!fd) return failed_errno(address_);
      if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
        fd_ = std::move(fd);
        return {};
      }
      if (errno != EPROTOTYPE) return failed_errno(address_);
    }
    return failed_errno(address_);
  }

  Result<void> connect_network() {
    addrinfo hints{};
    hints.ai_socktype = address_.transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
    addrinfo* raw = nullptr;
    const int status = ::getaddrinfo(address_.host.c_str(), address_.port.c_str(), &hints, &raw);
    if (status != 0) return failed(address_, ::gai_strerror(status));
    const std::unique_ptr<addrinfo, FreeAddresses> found(raw);
    Result<void> last = failed(address_, "no address");
    for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
      last = connect_to(*at);
      if (last) return last;
    }
    return last;
  }

  Result<void> connect_to(const addrinfo& to) {
    Fd fd(::socket(to.ai_family, to.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to.ai_protocol));
    if (!fd) return failed_errno(address_);
    const auto until = std::chrono::steady_clock::now() + timeout_;
    if (::connect(fd.get(), to.ai_addr, to.ai_addrlen) != 0) {
      if (errno != EINPROGRESS) return failed_errno(address_);
      if (!ready(fd.get(), POLLOUT, until)) return failed(address_, "no answer in time");
      int error = 0;
      socklen_t length = sizeof error;
      if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
        errno = error;
        return failed_errno(address_);
      }
    }
    fd_ = std::move(fd);
    if (address_.transport != Transport::tls) return {};
    auto shaken = shake_hands(until + timeout_);
    if (!shaken) close();
    return shaken;
  }

  Result<void> shake_hands(std::chrono::steady_clock::time_point until) {
    ssl_.reset(SSL_new(context_.get()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd_.get()) != 1) return failed(address_, openssl_reason());
    if (IpAddress::parse(address_.host)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), address_.host.c_str());
    } else {
      SSL_set1_host(ssl_.get(), address_.host.c_str());
      SSL_set_tlsext_host_name(ssl_.get(), address_.host.c_str());
    }
    for (;;) {
      ERR_clear_error();
      const int done = SSL_connect(ssl_.get());
      if (done == 1) return {};
      if (auto waited = wait_for(SSL_get_error(ssl_.get(), done), until); !waited) return waited;
    }
  }

  Result<void> wait_for(int why, std::chrono::steady_clock::time_point until) {
    const short events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      const long verified = SSL_get_verify_result(ssl_.get());
      if (verified != X509_V_OK) {
        return failed(address_, std::string("the certificate is not trusted: ") +
                                    X509_verify_cert_error_string(verified) +
                                    "; set alerting.syslog.ca_file");
      }
      return failed(address_, openssl_reason());
    }
    if (!ready(fd_.get(), events, until)) return failed(address_, "no answer in time");
    return {};
  }

  Result<void> send_tls(std::string_view bytes) {
    const auto until = std::chrono::steady_clock::now() + timeout_;
    for (;;) {
      ERR_clear_error();
      const int done = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (done > 0) return {};  // partial writes are off: all or nothing
      if (auto waited = wait_for(SSL_get_error(ssl_.get(), done), until); !waited) return waited;
    }
  }

  Result<void> send_bytes(std::string_view bytes) {
    const auto until = std::chrono::steady_clock::now() + timeout_;
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!ready(fd_.get(), POLLOUT, until)) return failed(address_, "it takes nothing");
      } else if (errno != EINTR) {
        return failed_errno(address_);
      }
    }
    return {};
  }

  const Address address_;
  const std::unique_ptr<SSL_CTX, FreeSsl> context_;
  const std::chrono::milliseconds timeout_;
  Fd fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

Result<Address> parse_address(const std::string& text) {
  Address address;
  address.text = text;
  const auto refuse = [&](const char* why) {
    return fail(ErrorKind::usage, "read", "syslog address '" + terminal_safe(text) + '\'',
                std::string(why) +
                    "; write /dev/log, udp://host:514, tcp://host:514 or "
                    "tls://host:6514");
  };
  if (!text.empty() && text.front() == '/') {
    if (text.size() >= sizeof(sockaddr_un{}.sun_path)) return refuse("the path is too long");
    address.host = text;
    return address;
  }
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) return refuse("no path and no scheme");
  const std::string_view word = std::string_view(text).substr(0, scheme);
  if (word == "udp") {
    address.transport = Transport::udp;
  } else if (word == "tcp") {
    address.transport = Transport::tcp;
  } else if (word == "tls") {
    address.transport = Transport::tls;
  } else {
    return refuse("unknown scheme");
  }
  address.port = address.transport == Transport::tls ? "6514" : "514";
  std::string_view rest = std::string_view(text).substr(scheme + 3);
  std::string_view host = rest, port;
  if (!rest.empty() && rest.front() == '[') {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return refuse("'[' without ']'");
    host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest.front() != ':') return refuse("no port after ']'");
    port = rest.empty() ? rest : rest.substr(1);
    if (!rest.empty() && port.empty()) return refuse("no port after ':'");
  } else if (const std::size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
    if (port.empty()) return refuse("no port after ':'");
  }
  if (host.empty()) return refuse("no host");
  if (!port.empty()) {
    const auto number = parse_unsigned(port);
    if (!number || *number == 0 || *number > 65'535) return refuse("the port is no port");
    address.port = std::string(port);
  }
  address.host = std::string(host);
  return address;
}

}  // namespace

Result<std::unique_ptr<SyslogSocket>> SyslogSocket::make(const std::string& address,
                                                         const std::string& ca_file,
                                                         std::chrono::milliseconds timeout) {
  auto parsed = parse_address(address);
  if (!parsed) return tl::unexpected<Error>(std::move(parsed.error()));
  std::unique_ptr<SSL_CTX, FreeSsl> context;
  if (parsed->transport == Transport::tls) {
    context.reset(SSL_CTX_new(TLS_client_method()));
    if (!context) return failed(*parsed, openssl_reason());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const int loaded = ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(context.get())
                           : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr);
    if (loaded != 1) {
      return fail(ErrorKind::io, "read", "alerting.syslog.ca_file '" + ca_file + '\'',
                  openssl_reason());
    }
  }
  return std::unique_ptr<SyslogSocket>(
      std::make_unique<Socket>(std::move(*parsed), std::move(context), timeout));
}

}  // namespace beaconry
