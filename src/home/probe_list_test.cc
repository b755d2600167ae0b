#include "home/probe_list.h"

#include <gtest/gtest.h>

#include "ping/test_pings.h"

namespace beaconry {
namespace {

std::string probe_json(const PartyKeys& keys, const std::string& more) {
  return R"({"id":")" + keys.id().to_string() + R"(","name":"cell 7","box_public":")" +
         to_hex(keys.box_public()) + R"(","sign_public":")" + to_hex(keys.sign_public()) + '"' +
         more + '}';
}

TEST(ProbeListOfTheServer, IsRead) {
  const PartyKeys keys = party(1);
  const auto list = parse_probe_list(
      R"({"version":"7","probes":[)" + probe_json(keys, R"(,"retired":true)") +
      R"(],"controls":[{"probe":")" + keys.id().to_string() + R"(","every_seconds":3600}]})");
  ASSERT_TRUE(list) << list.error().message();
  EXPECT_EQ(list->version, "7");
  ASSERT_EQ(list->probes.size(), 1U);
  EXPECT_EQ(list->probes[0].id, keys.id());
  EXPECT_EQ(list->probes[0].box_public, keys.box_public());
  EXPECT_TRUE(list->probes[0].retired);
  ASSERT_EQ(list->controls.size(), 1U);
  EXPECT_EQ(list->controls[0].every, std::chrono::hours{1});
}

TEST(ProbeListOfTheServer, TheVersionAloneChangesNothing) {
  const auto list = parse_probe_list(R"({"version":12})");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->version, "12");
  EXPECT_FALSE(list->has_probes);
}

TEST(ProbeListOfTheServer, IsRefusedAsAWhole) {
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{"), std::string(R"({"probes":{}})"),
        std::string(R"({"version":{}})"), std::string(R"({"controls":7})")}) {
    EXPECT_FALSE(parse_probe_list(text)) << text;
  }
}

TEST(ProbeListOfTheServer, OneBadEntryTakesNothingFromTheOthers) {
  const PartyKeys keys = party(1), other = party(2);
  std::string foreign = probe_json(other, "");
  foreign.replace(foreign.find(other.id().to_string()), 16, "0011223344556677");
  KnownProbe weak;  // no key at all opens what is sealed for it
  const std::string none = R"({"id":")" + probe_id(weak.box_public).to_string() +
                           R"(","box_public":")" + to_hex(weak.box_public) +
                           R"(","sign_public":")" + to_hex(weak.sign_public) + R"("})";
  const auto list =
      parse_probe_list(R"({"version":"8","probes":[7,{"id":"xyz"},)" + foreign + ',' + none + ',' +
                       probe_json(keys, "") + ',' + probe_json(keys, R"(,"retired":true)") +
                       R"(],"controls":[{"probe":"0011223344556677","every_seconds":-1}]})");
  ASSERT_TRUE(list) << list.error().message();
  ASSERT_EQ(list->probes.size(), 1U);
  EXPECT_EQ(list->probes[0].id, keys.id());
  EXPECT_TRUE(list->probes[0].retired);  // one of the two says so
  EXPECT_EQ(list->refused.size(), 6U);
  EXPECT_TRUE(KeyRing::make(party(0), list->probes));
}

}  // namespace
}  // namespace beaconry
