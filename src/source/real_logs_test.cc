// Real logs, from the folder of captures beside the project, where it is there.
#include <gtest/gtest.h>

#include "source/byte_stream.h"
#include "source/test_support.h"

namespace beaconry {
namespace {

const std::string kCaptures = BEACONRY_SOURCE_DIR "/../shared/captures/";

std::uint64_t rows_of(const std::string& path) {
  const auto stream = decompress(open_stored(path, nullptr));
  std::string text, block(1 << 16, '\0');
  for (;;) {
    const auto got = stream->read(block);
    if (!got || *got == 0) break;
    text.append(block, 0, *got);
  }
  std::uint64_t rows = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((at == 0 || text[at - 1] == '\n') && text[at] != '#') ++rows;
  }
  return rows;
}

struct Capture {
  const char *folder, *conn, *c2;
  std::uint64_t at_least;
};

class RealLogs : public testing::TestWithParam<Capture> {};

TEST_P(RealLogs, EveryRowOfConnIsAConnection) {
  const auto& capture = GetParam();
  const std::string folder = kCaptures + capture.folder;
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no captures at " << kCaptures;
  Kept kept;
  read_paths({folder}, kept);
  EXPECT_EQ(kept.report.records(), rows_of(folder + '/' + capture.conn));
  EXPECT_EQ(kept.report.refused(), 0U);
  EXPECT_TRUE(kept.report.failed_inputs().empty());
  const auto c2 = static_cast<std::uint64_t>(
      std::count_if(kept.events.begin(), kept.events.end(),
                    [&](const KeptEvent& event) { return event.pair == capture.c2; }));
  EXPECT_GE(c2, capture.at_least);
}

INSTANTIATE_TEST_SUITE_P(
    All, RealLogs,
    testing::Values(
        Capture{"taidoor", "conn.log.gz", "192.168.99.51->104.248.234.238:80/TCP", 1000},
        Capture{"iot23-mirai", "conn.log.gz", "192.168.1.195->185.244.25.235:6667/TCP", 6706},
        Capture{"warmcookie", "conn.log.gz", "10.8.15.133->72.5.43.29:80/TCP", 100},
        Capture{"ctu-benign-1", "conn.log.gz", "", 0},
        Capture{"ctu-benign-2", "conn.log.gz", "", 0},
        Capture{"apt29-json", "conn.log.gz", "10.0.1.6->192.168.0.4:8443/TCP", 50},
        Capture{"rita-proxy", "conn.log", "10.136.0.18->10.136.0.16:3128/TCP", 10}),
    [](const auto& one) {
      std::string name = one.param.folder;
      std::erase(name, '-');
      return name;
    });

TEST(Taidoor, SizesThatTheCaptureCouldNotSeeAreUnknown) {
  const std::string folder = kCaptures + "taidoor";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no captures at " << kCaptures;
  Kept kept;
  read_paths({folder}, kept);
  for (const auto& event : kept.events) {
    if (event.pair == "192.168.99.51->104.248.234.238:80/TCP") {
      EXPECT_EQ(event.bytes_out, kUnknownBytes);
    }
  }
}

TEST(RitaProxy, TunnelsAreNamedByTheirTarget) {
  const std::string folder = kCaptures + "rita-proxy";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no captures at " << kCaptures;
  Kept kept;
  read_paths({folder}, kept);
  const auto tunnels =
      std::count_if(kept.events.begin(), kept.events.end(), [](const KeptEvent& event) {
        return event.name == "www.google.com" && event.name_kind == NameKind::connect_target;
      });
  EXPECT_GT(tunnels, 3);
}

}  // namespace
}  // namespace beaconry
