#include "packet/tls_client_hello.h"

#include <gtest/gtest.h>

#include "packet/test_messages.h"

namespace beaconry {
namespace {

using namespace test_messages;

TEST(TlsClientHello, NamesTheServer) {
  std::string scratch;
  const Bytes hello = client_hello("Cdn.Evil.example");
  ASSERT_TRUE(looks_like_tls_client(hello));
  const FoundName found = tls_client_hello(hello, scratch);
  EXPECT_EQ(found.status, NameStatus::found);
  EXPECT_EQ(found.name, "Cdn.Evil.example");
}

TEST(TlsClientHello, NeedsMoreOfEveryPrefix) {
  std::string scratch;
  const Bytes hello = client_hello("cdn.evil.example", 100);
  for (std::size_t size = 2; size < hello.size(); ++size) {
    EXPECT_EQ(tls_client_hello(ByteView(hello).first(size), scratch).status, NameStatus::needs_more)
        << size;
  }
}

TEST(TlsClientHello, IsPutTogetherFromManyRecords) {
  const Bytes message = client_hello_message("cdn.evil.example", 2000);
  for (const std::size_t record : {1U, 3U, 100U, 1000U}) {
    std::string scratch;
    const Bytes stream = in_records(message, record);
    const FoundName found = tls_client_hello(stream, scratch);
    EXPECT_EQ(found.status, NameStatus::found) << record;
    EXPECT_EQ(found.name, "cdn.evil.example");
    EXPECT_EQ(tls_client_hello(ByteView(stream).first(stream.size() - 1), scratch).status,
              NameStatus::needs_more);
  }
}

TEST(TlsClientHello, MayNameNobody) {
  std::string scratch;
  EXPECT_EQ(tls_client_hello(client_hello(""), scratch).status, NameStatus::absent);
}

TEST(TlsClientHello, IsNotSeenInOtherMessages) {
  std::string scratch;
  Bytes server = client_hello("a.example");
  server[5] = 2;
  EXPECT_EQ(tls_client_hello(server, scratch).status, NameStatus::other);
  Bytes empty_record = from_hex("1603010000");
  EXPECT_EQ(tls_client_hello(empty_record, scratch).status, NameStatus::other);
  Bytes endless = from_hex("160301ffff01ffffff");
  EXPECT_EQ(tls_client_hello(endless, scratch).status, NameStatus::other);
  Bytes broken = client_hello("a.example");
  broken[5 + 4 + 2 + 32] = 255;  // the session id's length
  EXPECT_EQ(tls_client_hello(broken, scratch).status, NameStatus::other);
}

}  // namespace
}  // namespace beaconry
