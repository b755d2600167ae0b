#include "packet/quic_initial.h"

#include <gtest/gtest.h>

#include "packet/quic_test_client.h"

namespace beaconry {
namespace {

using namespace test_messages;

// RFC 9001, appendix A.2: the protected packet of a client, for example.com.
constexpr const char* kClientInitial =
    "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d"
    "92ec356c0bab7df5976d27cd449f63300099f3991c260ec4c60d17b31f8429157bb35a1282a643a8d2262cad"
    "67500cadb8e7378c8eb7539ec4d4905fed1bee1fc8aafba17c750e2c7ace01e6005f80fcb7df621230c83711"
    "b39343fa028cea7f7fb5ff89eac2308249a02252155e2347b63d58c5457afd84d05dfffdb20392844ae81215"
    "4682e9cf012f9021a6f0be17ddd0c2084dce25ff9b06cde535d0f920a2db1bf362c23e596d11a4f5a6cf3948"
    "838a3aec4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760b7bad1db4ba3485e8a94dc250ae3"
    "fdb41ed15fb6a8e5eba0fc3dd60bc8e30c5c4287e53805db059ae0648db2f64264ed5e39be2e20d82df566da"
    "8dd5998ccabdae053060ae6c7b4378e846d29f37ed7b4ea9ec5d82e7961b7f25a9323851f681d582363aa5f8"
    "9937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba6611722395c906556be52afe3f565636ad1b17d50"
    "8b73d8743eeb524be22b3dcbc2c7468d54119c7468449a13d8e3b95811a198f3491de3e7fe942b330407abf8"
    "2a4ed7c1b311663ac69890f4157015853d91e923037c227a33cdd5ec281ca3f79c44546b9d90ca00f064c99e"
    "3dd97911d39fe9c5d0b23a229a234cb36186c4819e8b9c5927726632291d6a418211cc2962e20fe47feb3edf"
    "330f2c603a9d48c0fcb5699dbfe5896425c5bac4aee82e57a85aaf4e2513e4f05796b07ba2ee47d80506f8d2"
    "c25e50fd14de71e6c418559302f939b0e1abd576f279c4b2e0feb85c1f28ff18f58891ffef132eef2fa09346"
    "aee33c28eb130ff28f5b766953334113211996d20011a198e3fc433f9f2541010ae17c1bf202580f6047472f"
    "b36857fe843b19f5984009ddc324044e847a4f4a0ab34f719595de37252d6235365e9b84392b061085349d73"
    "203a4a13e96f5432ec0fd4a1ee65accdd5e3904df54c1da510b0ff20dcc0c77fcb2c0e0eb605cb0504db8763"
    "2cf3d8b4dae6e705769d1de354270123cb11450efc60ac47683d7b8d0f811365565fd98c4c8eb936bcab8d06"
    "9fc33bd801b03adea2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f296bfb5e72404790a21810"
    "14f3b94a4e97d117b438130368cc39dbb2d198065ae3986547926cd2162f40a29f0c3c8745c0f50fba3852e5"
    "66d44575c29d39a03f0cda721984b6f440591f355e12d439ff150aab7613499dbd49adabc8676eef023b15b6"
    "5bfc5ca06948109f23f350db82123535eb8a7433bdabcb909271a6ecbcb58b936a88cd4e8f2e6ff5800175f1"
    "13253d8fa9ca8885c2f552e657dc603f252e1a8e308f76f0be79e2fb8f5d5fbbe2e30ecadd220723c8c0aea8"
    "078cdfcb3868263ff8f0940054da48781893a7e49ad5aff4af300cd804a6b6279ab3ff3afb64491c85194aab"
    "760d58a606654f9f4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9f96f3ca9ec1dde434da7d2d3"
    "92b905ddf3d1f9af93d1af5950bd493f5aa731b4056df31bd267b6b90a079831aaf579be0a39013137aac6d4"
    "04f518cfd46840647e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241e221af44"
    "860018ab0856972e194cd934";

TEST(QuicInitial, ReadsTheExampleOfTheRfc) {
  const Bytes datagram = from_hex(kClientInitial);
  ASSERT_TRUE(looks_like_quic_initial(datagram));
  QuicInitialReader reader;
  const FoundName found = reader.add(datagram);
  EXPECT_EQ(found.status, NameStatus::found);
  EXPECT_EQ(found.name, "example.com");
}

TEST(QuicInitial, ReadsVersion2) {
  QuicClient client{true};
  const Bytes hello = client_hello_message("two.example");
  QuicInitialReader reader;
  const FoundName found = reader.add(client.seal(0, client.crypto_frame(hello, 0, hello.size())));
  EXPECT_EQ(found.status, NameStatus::found);
  EXPECT_EQ(found.name, "two.example");
}

TEST(QuicInitial, PutsPiecesOfSeveralDatagramsTogetherInAnyOrder) {
  QuicClient client;
  const Bytes hello = client_hello_message("pieces.example", 1500);
  Bytes first = client.crypto_frame(hello, 700, 1200);
  const Bytes beginning = client.crypto_frame(hello, 0, 300);
  first.insert(first.begin(), 1, 1);  // PING
  first.insert(first.end(), beginning.begin(), beginning.end());
  QuicInitialReader reader;
  EXPECT_EQ(reader.add(client.seal(1, client.crypto_frame(hello, 1200, hello.size()))).status,
            NameStatus::needs_more);
  EXPECT_EQ(reader.add(client.seal(0, first)).status, NameStatus::needs_more);
  const FoundName found = reader.add(client.seal(2, client.crypto_frame(hello, 300, 700)));
  EXPECT_EQ(found.status, NameStatus::found);
  EXPECT_EQ(found.name, "pieces.example");
}

TEST(QuicInitial, ReadsPacketsThatShareADatagram) {
  QuicClient client;
  const Bytes hello = client_hello_message("together.example");
  Bytes datagram = client.seal(0, client.crypto_frame(hello, 0, 50), 60);
  const Bytes second = client.seal(1, client.crypto_frame(hello, 50, hello.size()), 60);
  datagram.insert(datagram.end(), second.begin(), second.end());
  QuicInitialReader reader;
  EXPECT_EQ(reader.add(datagram).name, "together.example");
}

TEST(QuicInitial, BeginsAgainAfterARetry) {
  QuicClient client;
  const Bytes hello = client_hello_message("again.example");
  QuicInitialReader reader;
  EXPECT_EQ(reader.add(client.seal(0, client.crypto_frame(hello, 0, 50))).status,
            NameStatus::needs_more);
  client.connection_id = from_hex("ffeeddcc");
  EXPECT_EQ(reader.add(client.seal(1, client.crypto_frame(hello, 0, hello.size()))).name,
            "again.example");
}

TEST(QuicInitial, RefusesWhatDoesNotDecrypt) {
  QuicClient client;
  const Bytes hello = client_hello_message("a.example");
  Bytes datagram = client.seal(0, client.crypto_frame(hello, 0, hello.size()));
  datagram[100] ^= 1;
  QuicInitialReader reader;
  EXPECT_EQ(reader.add(datagram).status, NameStatus::other);
  EXPECT_EQ(reader.add({}).status, NameStatus::other);
  Bytes unknown_version = datagram;
  unknown_version[4] = 9;
  EXPECT_FALSE(looks_like_quic_initial(unknown_version));
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    EXPECT_EQ(reader.add(ByteView(datagram).first(size)).status, NameStatus::other);
  }
}

}  // namespace
}  // namespace beaconry
