#include "sensor/admission.h"

#include <gtest/gtest.h>

#include "sensor/storage_watch.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kMega = 1 << 20;
constexpr Timestamp kBegin{std::chrono::seconds{1'790'000'000}};

ImageInfo image() {
  ImageInfo info;
  info.manifest.name = "beacon";
  info.manifest.limits.persistent = 100 * kMega;
  info.manifest.limits.transient = 10 * kMega;
  info.unpacked_bytes = 5 * kMega;
  info.signed_by = "key";
  return info;
}

TEST(Admission, CountsVolumesAndTheRollbackCopyAndWhatIsPromised) {
  EXPECT_TRUE(admit(image(), {120 * kMega, 0}, 0, {}));
  EXPECT_FALSE(admit(image(), {119 * kMega, 0}, 0, {}));
  EXPECT_FALSE(admit(image(), {120 * kMega, 1 * kMega}, 0, {}));
  EXPECT_FALSE(admit(image(), {120 * kMega, 0}, 1 * kMega, {}));
  // Of an update the copies are new, and what its volumes may still grow by.
  EXPECT_TRUE(admit(image(), {110 * kMega, 100 * kMega}, 0, {100 * kMega, 10 * kMega}));
  EXPECT_FALSE(admit(image(), {110 * kMega, 100 * kMega}, 0, {99 * kMega, 10 * kMega}));
  EXPECT_TRUE(admit(image(), {200 * kMega, 60 * kMega}, 80 * kMega, {50 * kMega, 10 * kMega}));
  EXPECT_FALSE(admit(image(), {200 * kMega, 60 * kMega}, 81 * kMega, {50 * kMega, 10 * kMega}));
  // A pool that was not asked yet refuses nothing; one that is over-full everything.
  EXPECT_TRUE(admit(image(), {}, 0, {}));
  EXPECT_FALSE(admit(image(), {10 * kMega, 20 * kMega}, 30 * kMega, {}));
  const auto refused = admit(image(), {100 * kMega, 40 * kMega}, 20 * kMega, {});
  ASSERT_FALSE(refused);
  for (const char* number : {"120.0 MiB", "110.0 MiB", "10.0 MiB", "40.0 MiB", "20.0 MiB"}) {
    EXPECT_NE(refused.error().message().find(number), std::string::npos)
        << number << " in: " << refused.error().message();
  }
}

TEST(Admission, JudgesSignatureAndPermissions) {
  InstanceWish wish;
  wish.name = "beacon_0";
  ImageInfo unsigned_image = image();
  unsigned_image.signed_by.clear();
  const Verdict refused = judge(unsigned_image, nullptr, wish);
  EXPECT_FALSE(refused.permitted);
  for (const char* remedy : {"--key", "instrument-keys", "--allow-unsigned"})
    EXPECT_NE(refused.cause.find(remedy), std::string::npos) << remedy << " in: " << refused.cause;
  wish.allow_unsigned = true;
  EXPECT_TRUE(judge(unsigned_image, nullptr, wish).permitted);

  ImageInfo wider = image();
  wider.manifest.capabilities = {"net_raw"};
  EXPECT_TRUE(judge(wider, nullptr, wish).permitted);  // an everyday capability, at first
  const Manifest before = image().manifest;
  const Verdict waits = judge(wider, &before, wish);
  EXPECT_FALSE(waits.permitted);
  EXPECT_EQ(waits.wants_approval, std::vector<std::string>{"capability net_raw"});
  wish.approved = permission_digest(wider.manifest);
  EXPECT_TRUE(judge(wider, &before, wish).permitted);

  ImageInfo dangerous = image();
  dangerous.manifest.capabilities = {"net_admin"};
  EXPECT_FALSE(judge(dangerous, nullptr, wish).permitted);  // the approval was of another
  wish.approved = permission_digest(dangerous.manifest);
  EXPECT_TRUE(judge(dangerous, nullptr, wish).permitted);
}

TEST(Admission, HoldsAWishAgainstItsManifest) {
  ImageInfo info = image();
  Manifest::Interface probe;
  probe.name = "probe";
  info.manifest.interfaces.push_back(probe);
  InstanceWish wish;
  wish.name = "beacon_0";
  EXPECT_FALSE(check_wish(wish, info.manifest));  // an interface is not given
  wish.interfaces.push_back({"probe", InterfaceWish::Kind::bridge, "br0", "none", "", {}});
  EXPECT_TRUE(check_wish(wish, info.manifest));
  wish.interfaces.push_back({"other", InterfaceWish::Kind::bridge, "br0", "none", "", {}});
  EXPECT_FALSE(check_wish(wish, info.manifest));
  wish.interfaces.pop_back();
  wish.config_json = R"({"a": 1})";
  EXPECT_FALSE(check_wish(wish, info.manifest));  // it takes none
  wish.config_json.clear();
  wish.name = "detector_0";
  EXPECT_FALSE(check_wish(wish, info.manifest));
}

TEST(Admission, RefusesATieThatCanNeverHold) {
  using Kind = InterfaceWish::Kind;
  const auto why = [](Direction contract, const InterfaceWish& tie, bool administers = false) {
    Manifest manifest = image().manifest;
    manifest.interfaces.push_back({"probe", contract, false, ""});
    if (administers) manifest.capabilities = {"net_admin"};
    InstanceWish wish;
    wish.name = "beacon_0";
    wish.interfaces = {tie};
    const auto fits = check_wish(wish, manifest);
    return fits ? std::string("it can") : fits.error().message();
  };
  const auto tie = [](Kind kind, const std::string& parent, const std::string& address = "none") {
    return InterfaceWish{"probe", kind, parent, address, "", {}};
  };
  for (const Direction contract : {Direction::receive, Direction::transmit, Direction::both})
    EXPECT_EQ(why(contract, tie(Kind::bridge, "br0", "192.0.2.7/24")), "it can");
  EXPECT_EQ(why(Direction::both, tie(Kind::macvlan, "eth1", "dhcp")), "it can");
  EXPECT_EQ(why(Direction::receive, tie(Kind::mirror, "eth1")), "it can");
  InterfaceWish gateway = tie(Kind::bridge, "br0", "192.0.2.7/24"), resolver = gateway;
  gateway.gateway = "gate";
  resolver.resolvers = {"192.0.2.53", "ns.example"};
  const struct {
    std::string why, word;
  } kRefused[] = {
      {why(Direction::receive, tie(Kind::mirror, "br0", "dhcp")), "interface probe: DHCP"},
      {why(Direction::receive, tie(Kind::bridge, "br0", "dhcp")), "DHCP"},
      {why(Direction::receive, tie(Kind::mirror, "br0", "192.0.2.7/24")), "no address"},
      {why(Direction::both, tie(Kind::mirror, "br0")), "the contract is both"},
      {why(Direction::transmit, tie(Kind::mirror, "br0")), "the contract is tx"},
      {why(Direction::both, tie(Kind::bridge, "br0", "192.0.2.7")), "with its prefix"},
      {why(Direction::both, tie(Kind::bridge, "")), "no parent"},
      {why(Direction::both, tie(Kind::bridge, "a\x1b/b")), "no interface's name"},
      {why(Direction::both, tie(Kind::physical, "lo")), "lo cannot be moved"},
      {why(Direction::receive, tie(Kind::mirror, "bcy0123456789h")), "loop"},
      {why(Direction::receive, tie(Kind::macvlan, "eth1"), true), "net_admin"},
      {why(Direction::both, gateway), "gateway gate"},
      {why(Direction::both, resolver), "resolver ns.example"},
  };
  for (const auto& one : kRefused)
    EXPECT_NE(one.why.find(one.word), std::string::npos) << one.word << " in: " << one.why;
}

TEST(FillTrend, ExtrapolatesTheDayAndForgivesAnOutlier) {
  FillTrend trend;
  for (int i = 0; i <= 48; ++i) {
    const std::uint64_t used = static_cast<std::uint64_t>(i) * kMega + (i == 20 ? 500 * kMega : 0);
    trend.add(kBegin + std::chrono::minutes{30} * i, used);
  }
  const auto days = trend.days_to_full(96 * kMega);
  ASSERT_TRUE(days);
  EXPECT_NEAR(*days, 1.0, 0.05);
}

TEST(FillTrend, SaysNothingWhereItKnowsNothing) {
  FillTrend trend;
  EXPECT_FALSE(trend.days_to_full(100));
  trend.add(kBegin, 10);
  trend.add(kBegin + std::chrono::minutes{10}, 20);
  EXPECT_FALSE(trend.days_to_full(100));  // too short
  FillTrend flat;
  for (int i = 0; i < 10; ++i)
    flat.add(kBegin + std::chrono::hours{i}, 50);
  EXPECT_FALSE(flat.days_to_full(100));
  FillTrend back;
  back.add(kBegin, 10);
  back.add(kBegin + std::chrono::hours{2}, 20);
  back.add(kBegin - std::chrono::hours{2}, 10);  // the clock was set back
  EXPECT_FALSE(back.days_to_full(100));
}

}  // namespace
}  // namespace beaconry
