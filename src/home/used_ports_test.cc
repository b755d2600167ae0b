#include "home/used_ports.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "spool/test_folder.h"

namespace beaconry {
namespace {

constexpr const char* kHeading = "  sl  local_address rem_address   st\n";

class UsedPortsTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& lines) {
    std::ofstream(folder_.path() + '/' + name) << kHeading << lines;
  }
  TestFolder folder_;
};

TEST_F(UsedPortsTest, ListenersAndBoundSocketsCountButNotThoseOfLoopback) {
  write("tcp",
        "   0: 00000000:0016 00000000:0000 0A 0\n   1: 0100007F:1F90 00000000:0000 0A 0\n"
        "   2: 0A7100CB:0050 056433C6:1234 01 0\n");
  write("udp", "   7: 0A7100CB:0035 00000000:0000 07 0\n");
  const auto used = read_used_ports(folder_.path());
  ASSERT_TRUE(used) << used.error().message();
  EXPECT_TRUE(UsedPorts::has(used->tcp, 22));
  EXPECT_FALSE(UsedPorts::has(used->tcp, 8080));
  EXPECT_FALSE(UsedPorts::has(used->tcp, 80));
  EXPECT_TRUE(UsedPorts::has(used->udp, 53));
  EXPECT_FALSE(UsedPorts::has(used->udp, 22));
}

TEST_F(UsedPortsTest, WhatCannotBeReadIsNotTakenForUnused) {
  EXPECT_FALSE(read_used_ports(folder_.path()));
  write("tcp", "");
  EXPECT_FALSE(read_used_ports(folder_.path()));
  write("udp", "");
  EXPECT_TRUE(read_used_ports(folder_.path()));  // without IPv6
  std::filesystem::create_directory(folder_.path() + "/tcp6");
  EXPECT_FALSE(read_used_ports(folder_.path()));
}

TEST_F(UsedPortsTest, AnEmptyTableIsNone) {
  write("tcp", "");
  write("udp", "");
  std::ofstream(folder_.path() + "/udp6").flush();
  EXPECT_FALSE(read_used_ports(folder_.path()));
}

}  // namespace
}  // namespace beaconry
