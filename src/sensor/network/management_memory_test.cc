#include "sensor/network/management_memory.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using State = ManagementMemory::State;

TEST(ManagementMemory, GoesThereAndBack) {
  ManagementMemory memory;
  memory.state = State::reverted;
  memory.version = 7;
  memory.since = Timestamp{} + std::chrono::seconds{1'700'000'000};
  memory.reason = "words";
  memory.refused.emplace();
  memory.refused->interface = "eth0";
  memory.refused->addresses = {"dhcp"};
  memory.back.emplace();
  memory.back->resolv_conf = "nameserver 10.0.0.1\n";
  memory.back->boot = "b";
  memory.back->network.interfaces = {
      {"eth0", true, true, 1'500, {KernelRecord::address("eth0", *Prefix::parse("10.0.0.5/24"))}}};
  memory.back->network.routes = {KernelRecord::default_route("eth0", *IpAddress::parse("fe80::1"))};
  const auto again = ManagementMemory::parse(memory.to_json());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->to_json(), memory.to_json());
  EXPECT_EQ(again->refused, memory.refused);
  for (const char* bad : {"", "{}", "[]", R"({"state": 5})"})
    EXPECT_FALSE(ManagementMemory::parse(bad)) << bad;
}

TEST(ManagementMemory, OfWhatCannotHaveBeenIsDamaged) {
  ManagementMemory memory;
  memory.state = State::trial;
  EXPECT_FALSE(ManagementMemory::parse(memory.to_json()));
  memory.trial.emplace();
  memory.trial->interface = "eth0";
  memory.trial->addresses = {"dhcp"};
  EXPECT_FALSE(ManagementMemory::parse(memory.to_json()));
  memory.back.emplace();
  EXPECT_TRUE(ManagementMemory::parse(memory.to_json()));
  memory.state = State::confirmed;
  EXPECT_FALSE(ManagementMemory::parse(memory.to_json()));
  memory.confirmed = memory.trial;
  EXPECT_TRUE(ManagementMemory::parse(memory.to_json()));
}

}  // namespace
}  // namespace beaconry
