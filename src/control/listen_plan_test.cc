#include <gtest/gtest.h>

#include "config/document.h"
#include "config/keys.h"
#include "control/access.h"

namespace beaconry {
namespace {

Result<ListenPlan> plan(const std::string& text, bool tokens, bool certificate, bool insecure) {
  const auto document = ConfigDocument::parse("control_plane: {" + text + "}", "old.yaml");
  EXPECT_TRUE(document);
  const auto values = ConfigValues::read(config_schema(), *document);
  EXPECT_TRUE(values) << values.error().message();
  return listen_plan(*values, tokens, certificate, insecure);
}

TEST(ListenPlan, LoopbackIsPlainUnlessTlsIsAskedFor) {
  for (const char* text : {"", "listen_address: localhost", "listen_address: 127.0.0.1"}) {
    const auto good = plan(text, true, true, false);
    ASSERT_TRUE(good) << good.error().message();
    EXPECT_EQ(good->listen, std::vector<std::string>{"127.0.0.1:9090"});
    EXPECT_FALSE(good->tls);
    EXPECT_TRUE(good->tls_beside);
    EXPECT_EQ(good->warning, "");
  }
  EXPECT_FALSE(plan("", true, false, false)->tls_beside);
  EXPECT_FALSE(plan("tls: {mode: off}", true, true, false)->tls_beside);
  EXPECT_FALSE(plan("tls: {mode: on}", true, true, false)->tls_beside);
  EXPECT_EQ(plan("listen_address: '::1', listen_port: 1", false, false, false)->listen[0],
            "[::1]:1");
  EXPECT_TRUE(plan("tls: {mode: on}", false, true, false)->tls);
  EXPECT_TRUE(plan("tls: {certificate: a, key: b}", false, true, false)->tls);
  EXPECT_FALSE(plan("tls: {mode: on}", false, false, false));
  EXPECT_EQ(plan("listen_socket: /run/x", false, false, false)->listen,
            (std::vector<std::string>{"unix:/run/x", "127.0.0.1:9090"}));
}

TEST(ListenPlan, BeyondLoopbackNeedsTlsAndAToken) {
  const auto good = plan("listen_address: 0.0.0.0", true, true, false);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->listen[0], "0.0.0.0:9090");
  EXPECT_TRUE(good->tls);
  EXPECT_EQ(good->warning, "");
  EXPECT_TRUE(plan("listen_address: 10.0.0.1, api_key: k", false, true, false)->tls);
  const auto refused = plan("listen_address: 10.0.0.1", false, false, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "listen on 10.0.0.1 (old.yaml line 1): beyond loopback TLS and a token are needed; "
            "'beaconry-control init' makes a certificate and a token; --insecure does without");
  EXPECT_NE(plan("listen_address: 10.0.0.1", false, true, false)
                .error()
                .message()
                .find("beyond loopback a token is needed"),
            std::string::npos);
  EXPECT_FALSE(plan("listen_address: 10.0.0.1, tls: {mode: off}", true, true, false));
  EXPECT_FALSE(plan("listen_address: somewhere", true, true, false));
}

TEST(ListenPlan, ThePredecessorsFileBindsLoopbackAndSaysHowToMendIt) {
  const auto good = plan("listen_address: 0.0.0.0", false, false, false);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->listen[0], "127.0.0.1:9090");
  EXPECT_FALSE(good->tls);
  EXPECT_EQ(good->warning,
            "listening on 127.0.0.1:9090 only, not on 0.0.0.0 as old.yaml line 1 says: beyond "
            "loopback TLS and a token are needed; 'beaconry-control init' makes a certificate and "
            "a token; --insecure does without");
  EXPECT_EQ(plan("listen_address: '::'", true, false, false)->listen[0], "[::1]:9090");
}

TEST(ListenPlan, InsecureListensAsAskedAndWarns) {
  const auto good = plan("listen_address: 0.0.0.0", false, false, true);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->listen[0], "0.0.0.0:9090");
  EXPECT_FALSE(good->tls);
  EXPECT_EQ(good->warning,
            "listening on 0.0.0.0:9090 without TLS and tokens (--insecure): whoever reaches it can "
            "change everything");
  EXPECT_EQ(plan("listen_address: 10.0.0.1", true, true, true)->warning, "");
}

}  // namespace
}  // namespace beaconry
