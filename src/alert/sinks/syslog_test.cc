#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "alert/sinks/syslog_message.h"
#include "alert/sinks/syslog_socket.h"
#include "alert/test_alert.h"
#include "base/fd.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;

SyslogOrigin origin() {
  SyslogOrigin origin;
  origin.host = "sensor 1";
  origin.process = "4711";
  return origin;
}

TEST(SyslogMessage, IsRfc5424) {
  EXPECT_EQ(
      syslog_message(test_alert(), SyslogFormat::rfc5424, origin()),
      "<131>1 2026-11-21T18:00:00.125Z sensor_1 beaconry 4711 beacon.new "
      "[beaconry@32473 id=\"alert-1\" severity=\"HIGH\" source=\"hunt\" "
      "subject=\"10.0.0.5->203.0.113.9:443/TCP\" src=\"10.0.0.5\" dst=\"203.0.113.9\" dpt=\"443\" "
      "proto=\"TCP\"] "
      "Beacon: 10.0.0.5 -> 203.0.113.9:443 every 60.0s: fixed sleep, one host only");
}

TEST(SyslogMessage, EscapesWhatWouldEndAParameter) {
  Alert alert = test_alert("a\"b]c\\d");
  EXPECT_THAT(syslog_message(alert, SyslogFormat::rfc5424, origin()),
              HasSubstr(R"(id="a\"b\]c\\d")"));
}

TEST(SyslogMessage, IsOneLineOfAtMost8KiB) {
  Alert alert = test_alert();
  alert.title = "line\nbreak\r";
  alert.description = std::string(20'000, 'x');
  const std::string message = syslog_message(alert, SyslogFormat::rfc5424, origin());
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  EXPECT_EQ(message.size(), 8192U);
}

TEST(SyslogMessage, CefHasTheFieldsOfThePair) {
  const std::string message = syslog_message(test_alert(), SyslogFormat::cef, origin());
  EXPECT_THAT(message, HasSubstr(" - CEF:0|Beaconry|Beaconry|"));
  EXPECT_THAT(message, HasSubstr("|beacon.new|Beacon: 10.0.0.5 -> 203.0.113.9:443 every 60.0s|8|"));
  EXPECT_THAT(message, HasSubstr(" src=10.0.0.5 dst=203.0.113.9 dpt=443 proto=TCP"));
  EXPECT_THAT(message, HasSubstr("rt=1795284000125"));
}

TEST(SyslogMessage, CefEscapesItsSeparators) {
  Alert alert = test_alert();
  alert.title = "a|b\\c";
  alert.subject = "k=v";
  const std::string record = cef_record(alert);
  EXPECT_THAT(record, HasSubstr("|a\\|b\\\\c|"));
  EXPECT_THAT(record, HasSubstr("cs2=k\\=v"));
}

TEST(SyslogMessage, ALevelStandsInForTheAlertsSeverity) {
  SyslogOrigin fixed = origin();
  fixed.severity = syslog_level("warning");
  EXPECT_THAT(syslog_message(test_alert(), SyslogFormat::rfc5424, fixed),
              testing::StartsWith("<132>1 "));
  EXPECT_FALSE(syslog_level("loud"));
}

TEST(SyslogMessage, KnowsFacilitiesByName) {
  EXPECT_EQ(syslog_facility("local0"), 16);
  EXPECT_EQ(syslog_facility("DAEMON"), 3);
  EXPECT_EQ(syslog_facility("local8"), -1);
}

// A listening socket of the given type on loopback, or a Unix one.
Fd listen_on_loopback(int type, std::uint16_t& port) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 8), 0);
  }
  socklen_t length = sizeof at;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &length);
  port = ntohs(at.sin_port);
  return fd;
}

std::string receive(int fd, std::size_t least) {
  std::string all;
  while (all.size() < least) {
    char buffer[4096];
    const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    all.append(buffer, static_cast<std::size_t>(count));
  }
  return all;
}

std::unique_ptr<SyslogSocket> make(const std::string& address, const std::string& ca = "") {
  auto made = SyslogSocket::make(address, ca, std::chrono::seconds{10});
  EXPECT_TRUE(made) << made.error().message();
  return made ? std::move(*made) : nullptr;
}

TEST(SyslogSocket, SendsDatagrams) {
  std::uint16_t port = 0;
  const Fd collector = listen_on_loopback(SOCK_DGRAM, port);
  const auto socket = make("udp://127.0.0.1:" + std::to_string(port));
  ASSERT_TRUE(socket->send("<131>1 one"));
  EXPECT_EQ(receive(collector.get(), 1), "<131>1 one");
}

TEST(SyslogSocket, SendsToAUnixSocket) {
  const std::string path = testing::TempDir() + "syslog." + std::to_string(::getpid());
  std::filesystem::remove(path);
  const Fd collector(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  ASSERT_EQ(::bind(collector.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  const auto socket = make(path);
  ASSERT_TRUE(socket->send("<131>1 one"));
  EXPECT_EQ(receive(collector.get(), 1), "<131>1 one");
  std::filesystem::remove(path);
}

TEST(SyslogSocket, CountsOctetsOnStreamsAndComesBackWhenTheCollectorRestarts) {
  std::uint16_t port = 0;
  const Fd collector = listen_on_loopback(SOCK_STREAM, port);
  const auto socket = make("tcp://127.0.0.1:" + std::to_string(port));
  ASSERT_TRUE(socket->send("<131>1 one"));
  Fd first(::accept(collector.get(), nullptr, nullptr));
  EXPECT_EQ(receive(first.get(), 13), "10 <131>1 one");
  first.reset();
  ASSERT_TRUE(socket->send("<131>1 two"));
  const Fd second(::accept(collector.get(), nullptr, nullptr));
  EXPECT_EQ(receive(second.get(), 13), "10 <131>1 two");
}

TEST(SyslogSocket, SaysThatNobodyListens) {
  std::uint16_t port = 0;
  listen_on_loopback(SOCK_STREAM, port);  // closed at once
  const auto sent = make("tcp://127.0.0.1:" + std::to_string(port))->send("x");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message(), HasSubstr("refused"));
}

TEST(SyslogSocket, RefusesAddressesThatAreNone) {
  for (const char* text :
       {"", "host", "http://h", "udp://", "tcp://h:", "tcp://h:0", "udp://[::1"}) {
    EXPECT_FALSE(SyslogSocket::make(text, "", std::chrono::seconds{10})) << text;
  }
}

// A TLS collector with one connection; gives what it read.
std::string serve_tls(int listener, const CertificateAndKey& identity) {
  const Fd peer(::accept(listener, nullptr, nullptr));
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* bio = BIO_new_mem_buf(identity.certificate_pem.data(), -1);
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  bio = BIO_new_mem_buf(identity.key_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, peer.get());
  std::string text;
  if (SSL_accept(ssl) == 1) {
    char buffer[256];
    const int count = SSL_read(ssl, buffer, sizeof buffer);
    if (count > 0) text.assign(buffer, static_cast<std::size_t>(count));
  }
  SSL_free(ssl);
  X509_free(certificate);
  EVP_PKEY_free(key);
  SSL_CTX_free(context);
  return text;
}

class SyslogTls : public testing::Test {
 protected:
  void SetUp() override {
    const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    const auto ca = make_ca("test", now);
    ASSERT_TRUE(ca);
    const auto server = make_server_certificate(*ca, {"127.0.0.1"}, now);
    ASSERT_TRUE(server);
    identity_ = *server;
    ca_file_ = testing::TempDir() + "syslog_ca." + std::to_string(::getpid());
    std::ofstream(ca_file_) << ca->certificate_pem;
    collector_ = listen_on_loopback(SOCK_STREAM, port_);
    read_ =
        std::async(std::launch::async, [this] { return serve_tls(collector_.get(), identity_); });
  }
  void TearDown() override { std::filesystem::remove(ca_file_); }
  std::string address() const { return "tls://127.0.0.1:" + std::to_string(port_); }

  CertificateAndKey identity_;
  std::string ca_file_;
  std::uint16_t port_ = 0;
  Fd collector_;
  std::future<std::string> read_;
};

TEST_F(SyslogTls, SendsToACollectorItTrusts) {
  const auto socket = make(address(), ca_file_);
  const auto sent = socket->send("<131>1 one");
  ASSERT_TRUE(sent) << sent.error().message();
  EXPECT_EQ(read_.get(), "10 <131>1 one");
}

TEST_F(SyslogTls, RefusesACollectorItDoesNotKnow) {
  const auto sent = make(address())->send("<131>1 one");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message(), HasSubstr("ca_file"));
  EXPECT_EQ(read_.get(), "");
}

}  // namespace
}  // namespace beaconry
