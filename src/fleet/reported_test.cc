#include "fleet/reported.h"

#include <gtest/gtest.h>

#include "fleet/test_report.h"

namespace beaconry {
namespace {

using test::report;
using test::report_text;

TEST(Reported, ReadsWhatTheServerNeedsAndKeepsTheWhole) {
  const Reported one = report(R"("desired_version":7,"health":{"name":"s1","state":"failed",
      "cause":"worst of its parts","parts":[{"name":"beacon_0","state":"failed","cause":"bad",
      "parts":[{"name":"interface","state":"failed","cause":"interface lost","fix":"plug it in"}]},
      {"name":"detector_0","state":"healthy"}]},
      "instances":[{"name":"beacon_0","image":"aa","state":"ERRORED","wished_running":true,
      "update":{"state":"INSTALLING"},"config":{"state":"APPLIED"},"wants_approval":["network"]}],
      "from_a_newer_sensor":{"x":1})");
  EXPECT_EQ(one.machine, "m1");
  EXPECT_EQ(one.desired_version, 7U);
  ASSERT_EQ(one.instances.size(), 1U);
  EXPECT_TRUE(one.instances[0].is_changing());
  EXPECT_EQ(one.instances[0].wants_approval, std::vector<std::string>{"network"});
  const auto causes = root_causes(one.health);
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0]->cause, "interface lost");
  EXPECT_NE(one.state_json.find("from_a_newer_sensor"), std::string::npos);
}

TEST(Reported, NamesThePlaceOfWhatItCannotTake) {
  struct Case {
    std::string text;
    const char* words;
  };
  std::string many = "\"instances\":[";
  for (int i = 0; i < 257; ++i)
    many += i == 0 ? "{}" : ",{}";
  for (const Case& each : {
           Case{report_text(R"("instances":[{"name":"a_0"},{"name":5}])"),
                "report /reported/instances/1/name: is no text"},
           Case{report_text(R"("health":{"parts":[{"state":[]}]})"),
                "report /reported/health/parts/0/state: is no text"},
           Case{report_text(many + ']'), "report /reported/instances: has more than 256"},
           Case{report_text(R"("desired_version":-1)"), "/desired_version: is no whole number"},
           Case{report_text(R"("now":5)"), "/now is given twice"},
           Case{R"({"boot":"b","machine":"m","reported":{"format":2}})", "/reported/format"},
           Case{R"({"boot":"b","reported":{"format":1}})", "report /machine: is missing"},
           Case{R"({"boot":"b","machine":"m"})", "report /reported: is missing"},
           Case{std::string(1000, '['), "32 deep"},
           Case{"", "it is no JSON"},
       }) {
    const auto result = Reported::parse(each.text);
    ASSERT_FALSE(result) << each.text;
    EXPECT_NE(result.error().message().find(each.words), std::string::npos)
        << result.error().message();
  }
}

}  // namespace
}  // namespace beaconry
