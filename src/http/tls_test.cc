// Both ends over TLS, and foreign clients.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "http/certificates.h"
#include "http/test_support.h"

namespace beaconry {
namespace {

using testing::HasSubstr;

Timestamp now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

struct Authority {
  CertificateAndKey ca = *make_ca("Test CA", now());
  HttpServer::Tls server(const std::vector<std::string>& names = {"127.0.0.1"}) const {
    auto made = make_server_certificate(ca, names, now());
    return {made->certificate_pem + ca.certificate_pem, made->key_pem};
  }
  std::string fingerprint() const { return *certificate_fingerprint(ca.certificate_pem); }
};

HttpServer::Options with_tls(const HttpServer::Tls& tls) {
  HttpServer::Options options;
  options.tls = tls;
  return options;
}

// Says who asked, so that both sides' view can be compared.
void answer_with_key(TestServer& test) {
  test.handler.on_handle = [](const HttpRequest& request) {
    HttpResponse out;
    out.body = (request.peer.tls ? "tls " : "plain ") + request.peer.key;
    return out;
  };
}

std::string error_of(const TestServer& test, const HttpClient::Options& options) {
  const auto answer = test.client(options)->send({});
  return answer ? "" : answer.error().message();
}

TEST(Tls, KnowsAClientByItsKey) {
  const Authority authority;
  TestServer test(with_tls(authority.server()));
  answer_with_key(test);
  const auto edge = make_self_signed("edge", now());
  HttpClient::Options options;
  options.ca_pem = authority.ca.certificate_pem;
  EXPECT_EQ(test.client(options)->send({})->body, "tls ");
  options.certificate_pem = edge->certificate_pem;
  options.key_pem = edge->key_pem;
  const auto client = test.client(options);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client->send({});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, "tls " + *key_fingerprint(edge->certificate_pem));
  }
  EXPECT_EQ(test.server->counters().connections, 2U);
}

TEST(Tls, OnePortMayTakeBothKindsOfClients) {
  const Authority authority;
  auto tls = authority.server();
  tls.or_plain = true;
  TestServer test(with_tls(tls));
  answer_with_key(test);
  const auto edge = make_self_signed("edge", now());
  HttpClient::Options options;
  options.ca_pem = authority.ca.certificate_pem;
  options.certificate_pem = edge->certificate_pem;
  options.key_pem = edge->key_pem;
  const auto secure = test.client(options);
  HttpClient::Options without;
  without.url = "http://" + test.endpoint;
  const auto plain = std::move(*HttpClient::make(without));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(secure->send({})->body, "tls " + *key_fingerprint(edge->certificate_pem));
    EXPECT_EQ(plain->send({})->body, "plain ");
  }
  EXPECT_EQ(test.server->counters().tls_failures, 0U);
}

TEST(Tls, CarriesLargeBodiesBothWays) {
  const Authority authority;
  TestServer test(with_tls(authority.server()));
  test.handler.on_admit = [](const HttpRequest&) {
    return HttpHandler::Admission{std::nullopt, 8 << 20};
  };
  HttpClient::Options options;
  options.ca_pem = authority.ca.certificate_pem;
  HttpRequest request;
  request.method = "POST";
  request.body.assign(3'000'000, 'y');
  const auto answer = test.client(options)->send(request);
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(answer->body == "POST / " + request.body);
}

TEST(Tls, ChecksTheServer) {
  const Authority authority, other;
  const TestServer test(with_tls(authority.server({"control.example"})));
  HttpClient::Options options;
  EXPECT_THAT(error_of(test, options), HasSubstr("not signed by a CA that is trusted here"));
  options.ca_pem = other.ca.certificate_pem;
  EXPECT_THAT(error_of(test, options), HasSubstr("not signed by a CA that is trusted here"));
  options.ca_pem = authority.ca.certificate_pem;
  EXPECT_THAT(error_of(test, options), HasSubstr("for another name"));
  options.check_name = false;
  EXPECT_EQ(error_of(test, options), "");
  options = {};
  options.check_certificate = false;
  EXPECT_EQ(error_of(test, options), "");
  EXPECT_TRUE(wait_for([&] { return test.server->counters().tls_failures >= 3; }));
}

TEST(Tls, RefusesACertificateOutOfItsTime) {
  Authority authority;
  const auto past = now() - std::chrono::hours{24 * 400};
  authority.ca = *make_ca("Test CA", past);
  const auto old = make_server_certificate(authority.ca, {"127.0.0.1"}, past);
  const TestServer test(with_tls({old->certificate_pem, old->key_pem}));
  HttpClient::Options options;
  options.ca_pem = authority.ca.certificate_pem;
  EXPECT_THAT(error_of(test, options), HasSubstr("out of its time"));
}

TEST(Tls, TrustsThePinnedCaAlone) {
  const Authority authority, other;
  const TestServer test(with_tls(authority.server()));
  HttpClient::Options options;
  options.ca_fingerprint = authority.fingerprint();
  const auto client = test.client(options);
  EXPECT_EQ(client->server_ca_pem(), "");
  const auto answer = client->send({});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(client->server_ca_pem(), authority.ca.certificate_pem);
  options.ca_fingerprint = other.fingerprint();
  EXPECT_THAT(error_of(test, options), HasSubstr("not signed by a CA"));
  options.ca_fingerprint = "abc";
  options.url = test.url;
  EXPECT_FALSE(HttpClient::make(options));
}

// Whoever sits between may present the true CA's certificate, which is no secret.
TEST(Tls, IsNotMisledByThePinnedCaBesideAForeignCertificate) {
  const Authority authority, thief;
  auto tls = thief.server();
  tls.certificate_pem += authority.ca.certificate_pem;
  const TestServer test(with_tls(tls));
  HttpClient::Options options;
  options.ca_fingerprint = authority.fingerprint();
  const auto client = test.client(options);
  EXPECT_FALSE(client->send({}));
  EXPECT_EQ(client->server_ca_pem(), "");
}

TEST(Tls, TakesANewCertificateWhileItRuns) {
  const Authority authority, next;
  const TestServer test(with_tls(authority.server()));
  HttpClient::Options options;
  options.ca_pem = authority.ca.certificate_pem;
  const auto before = test.client(options);
  EXPECT_TRUE(before->send({}));
  ASSERT_TRUE(test.server->set_tls(next.server()));
  EXPECT_TRUE(before->send({}));  // its connection stays
  EXPECT_FALSE(test.client(options)->send({}));
  options.ca_pem = next.ca.certificate_pem;
  EXPECT_TRUE(test.client(options)->send({}));
  auto bad = next.server();
  bad.key_pem = authority.server().key_pem;
  const auto refused = test.server->set_tls(bad);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("does not belong"));
  EXPECT_TRUE(test.client(options)->send({}));
}

TEST(Tls, AnswersPlainHttpWithARemedy) {
  const Authority authority;
  const TestServer test(with_tls(authority.server()));
  EXPECT_THAT(ask_raw(test.endpoint, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HasSubstr("https://"));
  const TestServer plain;
  HttpClient::Options options;
  options.url = "https://" + plain.endpoint;
  const auto answer = (*HttpClient::make(options))->send({});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message(), HasSubstr("is it http://?"));
}

TEST(Tls, CutsOffASilentHandshake) {
  const Authority authority;
  auto options = with_tls(authority.server());
  options.header_timeout = std::chrono::seconds{1};
  const TestServer test(options);
  RawConnection connection(test.endpoint);
  EXPECT_EQ(connection.read_all(), "");
  EXPECT_EQ(test.server->counters().timed_out, 1U);
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* const pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> bytes{};
  while (const std::size_t size = std::fread(bytes.data(), 1, bytes.size(), pipe))
    out.append(bytes.data(), size);
  ::pclose(pipe);
  return out;
}

TEST(Tls, IsSpokenByForeignClients) {
  if (std::system("command -v curl openssl >/dev/null") != 0)
    GTEST_SKIP() << "curl and openssl are not installed";
  const Authority authority;
  TestServer test(with_tls(authority.server()));
  answer_with_key(test);
  char folder[] = "/tmp/beaconry-tls-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string at = std::string(folder) + "/";
  const auto edge = make_self_signed("edge", now());
  std::ofstream(at + "ca") << authority.ca.certificate_pem;
  std::ofstream(at + "cert") << edge->certificate_pem;
  std::ofstream(at + "key") << edge->key_pem;
  for (const std::string version : {"--tlsv1.2 --tls-max 1.2", "--tlsv1.3"}) {
    EXPECT_EQ(output_of("curl -sS --noproxy '*' " + version + " --cacert " + at + "ca --cert " +
                        at + "cert --key " + at + "key -d body " + test.url + "/ 2>&1"),
              "tls " + *key_fingerprint(edge->certificate_pem));
  }
  EXPECT_THAT(output_of("openssl verify -x509_strict -CAfile " + at + "ca " + at + "ca 2>&1"),
              HasSubstr("OK"));
  EXPECT_THAT(output_of("openssl s_client -connect " + test.endpoint +
                        " -tls1_1 </dev/null 2>&1 | grep -c 'BEGIN CERTIFICATE'"),
              "0\n");
  for (const char* const name : {"ca", "cert", "key"})
    ::unlink((at + name).c_str());
  ::rmdir(folder);
}

}  // namespace
}  // namespace beaconry
