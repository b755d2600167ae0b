#include "source/simulate/implant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "source/simulate/recipe.h"

namespace beaconry::simulate {
namespace {

// A day with nothing in it but one implant.
Traffic alone(std::string_view implant, double hours = 24) {
  Recipe recipe;
  recipe.hosts = 10;
  recipe.hours = hours;
  recipe.people.activity = 0;
  recipe.background = {0, 0, 0};
  recipe.implants = {*parse_implant(implant)};
  Traffic traffic = simulate(recipe);
  std::erase_if(traffic.flows, [](const SimulatedFlow& flow) { return flow.truth == kNoTruth; });
  return traffic;
}

// Seconds from the end of each check-in to the next one's begin: the sleep itself.
std::vector<double> sleeps(const Traffic& traffic) {
  std::vector<double> all;
  for (std::size_t i = 1; i < traffic.flows.size(); ++i) {
    all.push_back(to_seconds(traffic.flows[i].time - traffic.flows[i - 1].time));
  }
  return all;
}

constexpr double kBusy = 10;  // a check-in with a task may last this long

struct Case {
  const char* implant;
  double least, most;
};

TEST(Implant, SleepsWithinItsModelsBounds) {
  for (const Case& c : {Case{"fixed:60s", 60, 60}, Case{"cobalt-strike:60s:20%", 48, 60},
                        Case{"sliver:60s:50%", 60, 90}, Case{"havoc:60s:30%", 42, 78},
                        Case{"empire:60s:100%", 0, 120}, Case{"dns:5.5s:45%", 3, 8},
                        Case{"njrat:11.5s", 9, 14}, Case{"cron:60s", 59, 61}}) {
    const auto all = sleeps(alone(c.implant, 6));
    ASSERT_GT(all.size(), 100U) << c.implant;
    EXPECT_GE(*std::min_element(all.begin(), all.end()), c.least) << c.implant;
    EXPECT_LE(*std::max_element(all.begin(), all.end()), c.most + kBusy) << c.implant;
  }
}

TEST(Implant, LosesTheShareThatItIsTold) {
  const double all = static_cast<double>(alone("fixed:60s").flows.size());
  const double half = static_cast<double>(alone("fixed:60s:loss=50%").flows.size());
  EXPECT_NEAR(half / all, 0.5, 0.06);
}

TEST(Implant, KeepsItsStintsAndWorkingHours) {
  const auto stints = sleeps(alone("fixed:60s:0%:stints=2h/3h"));
  const auto pauses =
      std::count_if(stints.begin(), stints.end(), [](double s) { return s > 7200; });
  EXPECT_GE(pauses, 3);
  for (const SimulatedFlow& flow : alone("fixed:60s:0%:hours=8-17").flows) {
    const auto day = std::chrono::floor<std::chrono::days>(flow.time);
    const double hour = to_seconds(flow.time - day) / 3600;
    EXPECT_GE(hour, 8);
    EXPECT_LT(hour, 17.01);
  }
}

TEST(Implant, OpensSeveralConnectionsACheckIn) {
  std::map<std::uint32_t, int> visits;
  for (const SimulatedFlow& flow : alone("fixed:300s:burst=3").flows)
    ++visits[flow.check_in];
  EXPECT_GT(visits.size(), 200U);
  // The last one may be cut off by the end of the day.
  const auto three = std::count_if(visits.begin(), visits.end(),
                                   [](const auto& visit) { return visit.second == 3; });
  EXPECT_GE(three + 1, static_cast<std::ptrdiff_t>(visits.size()));
}

TEST(Implant, RotatesItsAddressesBehindOneName) {
  const Traffic traffic = alone("cobalt-strike:60s:20%:rotate=8");
  std::set<IpAddress> addresses;
  for (const SimulatedFlow& flow : traffic.flows)
    addresses.insert(flow.destination);
  EXPECT_GT(addresses.size(), 4U);
  ASSERT_EQ(traffic.truth.size(), 1U);
  EXPECT_EQ(traffic.truth[0].addresses.size(), addresses.size());
  EXPECT_NE(traffic.truth[0].name, kNoName);
}

TEST(Implant, AsksThroughTheResolverUnderItsOwnDomain) {
  const Traffic traffic = alone("dns:30s:45%");
  ASSERT_FALSE(traffic.flows.empty());
  const std::string& domain = traffic.names[traffic.truth.at(0).name];
  std::set<std::string> queries;
  for (const SimulatedFlow& flow : traffic.flows) {
    EXPECT_EQ(flow.port, 53);
    EXPECT_TRUE(traffic.names[flow.name].ends_with("." + domain));
    queries.insert(traffic.names[flow.name]);
  }
  EXPECT_EQ(queries.size(), traffic.flows.size());
}

TEST(ParseImplant, NamesWhatItCannotTake) {
  for (const char* text : {"", "fixed", "carrier-pigeon:60s", "fixed:soon", "fixed:60s:120%",
                           "fixed:60s:loss=1.5", "fixed:60s:hours=17-8", "fixed:60s:burst=0",
                           "fixed:60s:colour=red", "fixed:60s:stints=0h/2h", "fixed:0s"}) {
    EXPECT_FALSE(parse_implant(text)) << text;
  }
  const auto wrong = parse_implant("fixed:60s:colour=red");
  EXPECT_NE(wrong.error().message().find("colour=red"), std::string::npos);
}

}  // namespace
}  // namespace beaconry::simulate
