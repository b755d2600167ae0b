#include "server/leak_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kLeak =
    R"({"id":"0123456789abcdef","state":"open","triage":null,"probe":"1122334455667788",)"
    R"("probe_name":"ha\u001b[31mll","method":"dns","family":"ipv4","path":"resolver",)"
    R"("route":["hall, 10.0.1.9","the resolver 10.0.1.1","home"],"two_way":true,)"
    R"("title":"DNS gets out","explanation":"The resolver asks for anybody.",)"
    R"("fix":"Let the resolver refuse names from outside.\n  sysctl -w a=\u001b0","outer_source":"203.0.113.1",)"
    R"("via":"10.0.1.1","inside":"10.0.1.9","ports":[[53,53],[100,200]],"variants":[],)"
    R"("first":"2026-11-21T18:00:00.000Z","last":"2026-11-21T19:00:00.000Z",)"
    R"("opened":"2026-11-21T18:00:00.000Z","closed":null,"open_seconds":3600,"times_opened":1,)"
    R"("open_times":[{"from":"2026-11-21T18:00:00.000Z","to":"2026-11-21T19:00:00.000Z",)"
    R"("seconds":3600}],"count":1234,"duplicates":2,"replayed":0,"late":1,"seen_in":"short")";

TEST(LeakViews, ListWhatGotOutByWhom) {
  const auto text =
      leaks_text(R"({"count":1,"total":2,"leaks":[)" + std::string(kLeak) + "}]}", false);
  ASSERT_TRUE(text);
  for (const char* words : {"0123456789abcdef", "open", "dns", "resolver", "10.0.1.1", "two",
                            "2026-11-21 18:00:00", "1,234", "1 of 2 are shown"})
    EXPECT_THAT(*text, HasSubstr(words));
  EXPECT_THAT(*text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(leaks_text(R"({"leaks":[]})", true).value(), HasSubstr("No leak is known"));
  EXPECT_FALSE(leaks_text("<html>", false));
}

TEST(LeakViews, DrawThePathFromTheProbeToHome) {
  const auto text = leak_text(std::string(kLeak) +
                              R"(,"history":[{"time":"2026-11-21T18:30:00.000Z","who":"ann",)"
                              R"("what":"benign","words":"known"}],"observations":[]})");
  ASSERT_TRUE(text);
  const auto probe = text->find("● hall, 10.0.1.9"), hop = text->find("├─ the resolver"),
             home = text->find("◎ home");
  ASSERT_NE(probe, std::string::npos) << *text;
  ASSERT_NE(home, std::string::npos) << *text;
  EXPECT_LT(probe, hop);
  EXPECT_LT(hop, home);
  for (const char* words :
       {"two-way", "53, 100-200", "asks for anybody", "refuse names",
        "outside.\n      sysctl -w a=\\x1b0\n", "1h 0m", "benign by ann: known"})
    EXPECT_THAT(*text, HasSubstr(words));
}

TEST(LeakViews, WriteCsvWithOneRowALeak) {
  const auto csv = leaks_csv(R"({"leaks":[)" + std::string(kLeak) + "}]}");
  ASSERT_TRUE(csv);
  EXPECT_EQ(csv->rfind("id,state,triage,probe,probe_name,method", 0), 0U) << *csv;
  EXPECT_THAT(*csv, HasSubstr("0123456789abcdef,open,"));
}

TEST(ProbeViews, SayWhoWasNeverHeard) {
  const auto text = probes_text(
      R"({"probes":[{"name":"hall","id":"1122334455667788","state":"active","profile":"ot",)"
      R"("home_name":"outside","last_heard":null,"control":"home","last_control":null,)"
      R"("leaks_open":0}]})");
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("never"));
  EXPECT_THAT(probes_text(R"({"probes":[]})").value(), HasSubstr("probes add"));
  const auto one = probe_text(
      R"({"name":"hall","state":"active","control":"path:192.0.2.1:443/tcp",)"
      R"("control_every_seconds":1800,"home_key_changed":true,"neighbours":["10.0.1.50"],)"
      R"("peers":[{"name":"yard","address":"10.0.2.9","may_reach":true}]})");
  ASSERT_TRUE(one);
  for (const char* words :
       {"path:192.0.2.1:443/tcp, every 30m", "probes rotate", "10.0.1.50", "yard=10.0.2.9"})
    EXPECT_THAT(*one, HasSubstr(words));
}

}  // namespace
}  // namespace beaconry
