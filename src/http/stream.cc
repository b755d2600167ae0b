#include "http/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/ip_address.h"
#include "http/pem.h"

namespace beaconry {
namespace {

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and what SIGPIPE does is the program's.
int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  int fd = -1;
  BIO_get_fd(bio, &fd);
  const ssize_t count = ::send(fd, bytes, size, MSG_NOSIGNAL);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) BIO_set_retry_write(bio);
    return 0;
  }
  *written = static_cast<std::size_t>(count);
  return 1;
}

int bio_read(BIO* bio, char* into, std::size_t size, std::size_t* taken) {
  BIO_clear_retry_flags(bio);
  int fd = -1;
  BIO_get_fd(bio, &fd);
  const ssize_t count = ::recv(fd, into, size, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  if (count <= 0) return 0;
  *taken = static_cast<std::size_t>(count);
  return 1;
}

long bio_control(BIO* bio, int command, long number, void* pointer) {
  switch (command) {
    case BIO_C_SET_FD:
      BIO_set_data(
          bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(*static_cast<int*>(pointer))));
      BIO_set_init(bio, 1);
      return 1;
    case BIO_C_GET_FD:
      *static_cast<int*>(pointer) =
          static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    case BIO_CTRL_FLUSH:
      return 1;
    default:
      (void)number;
      return 0;
  }
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "beaconry socket");
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

void attach(SSL* ssl, int fd) {
  BIO* const bio = BIO_new(socket_method());
  BIO_set_fd(bio, fd, BIO_NOCLOSE);
  SSL_set_bio(ssl, bio, bio);
}

std::string words_for_verification(long verdict) {
  const std::string words = X509_verify_cert_error_string(verdict);
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is out of its time (" + words +
             "): renew it, and compare both clocks";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is for another name (" + words + ")";
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate is not signed by a CA that is trusted here (" + words +
             "): name the CA's file or fingerprint";
    default:
      return "its certificate is refused: " + words;
  }
}

}  // namespace

void Stream::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

Stream::Stream(Fd socket) : socket_(std::move(socket)) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
  ssl_ = std::move(other.ssl_);
  socket_ = std::move(other.socket_);
  error_ = std::move(other.error_);
  met_plain_http_ = other.met_plain_http_;
  return *this;
}

Stream Stream::accept(Fd socket, const TlsContext& context) {
  Stream stream(std::move(socket));
  stream.ssl_.reset(SSL_new(context.get()));
  attach(stream.ssl_.get(), stream.socket());
  SSL_set_accept_state(stream.ssl_.get());
  return stream;
}

Stream Stream::connect(Fd socket, const TlsContext& context, const std::string& sni,
                       const std::string& name) {
  Stream stream(std::move(socket));
  stream.ssl_.reset(SSL_new(context.get()));
  SSL* const ssl = stream.ssl_.get();
  attach(ssl, stream.socket());
  SSL_set_connect_state(ssl);
  if (!sni.empty() && !IpAddress::parse(sni)) SSL_set_tlsext_host_name(ssl, sni.c_str());
  if (!name.empty()) {
    if (IpAddress::parse(name)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    } else {
      SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      SSL_set1_host(ssl, name.c_str());
    }
  }
  return stream;
}

Stream::Moved Stream::failed(int error_number) {
  error_ = std::strerror(error_number);
  return {Status::failed, 0};
}

Stream::Moved Stream::outcome(int returned) {
  const int error_number = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {Status::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {Status::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::closed, 0};
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      if (error_number != 0) return failed(error_number);
      return {Status::closed, 0};
    default:
      break;
  }
  const unsigned long code = ERR_peek_error();
  met_plain_http_ = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
  const bool verification = ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  const bool no_tls =
      ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER;
  error_ = take_openssl_error();
  if (verification) error_ = words_for_verification(SSL_get_verify_result(ssl_.get()));
  if (no_tls) error_ = "the other side does not speak TLS (" + error_ + "); is it http://?";
  return {Status::failed, 0};
}

Stream::Moved Stream::handshake() {
  ERR_clear_error();
  errno = 0;
  const int returned = SSL_do_handshake(ssl_.get());
  return returned == 1 ? Moved{Status::ok, 0} : outcome(returned);
}

Stream::Moved Stream::read(std::span<char> into) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int returned = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    return returned == 1 ? Moved{Status::ok, count} : outcome(returned);
  }
  return read_raw(into);
}

Stream::Moved Stream::read_raw(std::span<char> into) {
  while (true) {
    const ssize_t count = ::recv(socket(), into.data(), into.size(), 0);
    if (count > 0) return {Status::ok, static_cast<std::size_t>(count)};
    if (count == 0) return {Status::closed, 0};
    if (errno == EAGAIN) return {Status::want_read, 0};
    if (errno != EINTR) return failed(errno);
  }
}

Stream::Moved Stream::write(std::string_view bytes) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    return returned == 1 ? Moved{Status::ok, count} : outcome(returned);
  }
  while (true) {
    const ssize_t count = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return {Status::ok, static_cast<std::size_t>(count)};
    if (errno == EAGAIN) return {Status::want_write, 0};
    if (errno != EINTR) return failed(errno);
  }
}

void Stream::say_goodbye() {
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(socket(), SHUT_WR);
}

Stream::Moved Stream::peek(char& first) {
  const ssize_t count = ::recv(socket_.get(), &first, 1, MSG_PEEK);
  if (count > 0) return {Status::ok, 1};
  if (count == 0) return {Status::closed, 0};
  return failed(errno);
}

void Stream::drop_tls() {
  ssl_.reset();
}

std::string Stream::peer_key() const {
  if (!ssl_) return {};
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? std::string{} : key_fingerprint(*certificate);
}

std::string Stream::peer_certificate(const std::string& fingerprint_hex) const {
  if (!ssl_) return {};
  STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(ssl_.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* const one = sk_X509_value(chain, i);
    if (fingerprint(*one) == fingerprint_hex) return to_pem(*one);
  }
  return {};
}

}  // namespace beaconry
